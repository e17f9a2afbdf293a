// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "starling",
  products: [
    .executable(name: "starling", targets: ["starling"]),
    .library(name: "Recognizer", targets: ["Recognizer"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
  ],
  targets: [
    // C libraries, from the distribution's -dev packages.
    .systemLibrary(
      name: "CFFTW", pkgConfig: "fftw3f", providers: [.apt(["libfftw3-dev"])]),
    .systemLibrary(
      name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
    .systemLibrary(
      name: "CSndfile", pkgConfig: "sndfile", providers: [.apt(["libsndfile1-dev"])]),
    .systemLibrary(
      name: "CSoxr", pkgConfig: "soxr", providers: [.apt(["libsoxr-dev"])]),
    .systemLibrary(
      name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),

    // The recogniser, from the bottom up. docs/architecture.md says what each may know.
    .target(name: "CKernels", linkerSettings: [.linkedLibrary("m")]),
    .target(name: "Tensor", dependencies: ["CKernels"]),
    .target(name: "Audio", dependencies: ["CFFTW", "CSndfile", "CSoxr", "Tensor"]),
    .target(name: "Conformer", dependencies: ["CKernels", "Tensor"]),
    .target(name: "Decoding"),
    .target(
      name: "LanguageModels", dependencies: ["CZlib", "Conformer", "Decoding", "Tensor"]),
    .target(name: "Recognizer", dependencies: ["Audio", "Conformer", "Decoding", "Tensor"]),
    .target(
      name: "Checkpoints",
      dependencies: ["CZlib", "Conformer", "Tensor", .product(name: "Yams", package: "Yams")]),
    .target(name: "TextFormatting", dependencies: ["Decoding"]),
    .target(name: "Transcripts", dependencies: ["Decoding"]),
    .target(name: "Wire", dependencies: ["Decoding", "Transcripts"]),
    .target(name: "Evaluation", dependencies: ["TextFormatting", "Transcripts", "Wire"]),
    .target(
      name: "Server",
      dependencies: [
        "Audio", "Decoding", "Recognizer", "Wire",
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
        .product(name: "NIOWebSocket", package: "swift-nio"),
      ]),
    .target(
      name: "Client",
      dependencies: [
        "Transcripts", "Wire",
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
        .product(name: "NIOWebSocket", package: "swift-nio"),
      ]),
    .executableTarget(
      name: "starling",
      dependencies: [
        "Audio", "Checkpoints", "Client", "Conformer", "Decoding", "Evaluation", "LanguageModels",
        "Recognizer", "Server", "Tensor", "TextFormatting", "Transcripts", "Wire",
        .product(name: "Logging", package: "swift-log"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Yams", package: "Yams"),
      ]),

    // Tests. They use the public and package interfaces, so that they run in release builds.
    .target(
      name: "TestSupport", dependencies: ["Audio", "Conformer", "CZlib", "Evaluation", "Tensor"],
      path: "Tests/TestSupport"),
    .target(name: "AllocationCounter", path: "Tests/AllocationCounter"),
    .testTarget(
      name: "TensorTests", dependencies: ["Tensor", "CKernels", "COpenBLAS", "TestSupport"]),
    .testTarget(
      name: "AudioTests", dependencies: ["Audio", "CSndfile", "Tensor", "TestSupport"],
      exclude: ["Fixtures"]),
    .testTarget(name: "ConformerTests", dependencies: ["Conformer", "Tensor", "TestSupport"]),
    .testTarget(
      name: "DecodingTests", dependencies: ["CZlib", "Decoding", "LanguageModels", "TestSupport"]),
    .testTarget(
      name: "LanguageModelsTests",
      dependencies: ["Conformer", "Decoding", "LanguageModels", "Tensor", "TestSupport"],
      exclude: ["Fixtures"]),
    .testTarget(
      name: "TextFormattingTests", dependencies: ["Decoding", "TestSupport", "TextFormatting"]),
    .testTarget(name: "TranscriptsTests", dependencies: ["Transcripts", "Decoding"]),
    .testTarget(name: "WireTests", dependencies: ["Decoding", "Wire"]),
    .testTarget(name: "EvaluationTests", dependencies: ["Evaluation", "TestSupport"]),
    .testTarget(name: "ClientTests", dependencies: ["Client", "Wire"]),
    .testTarget(
      name: "CheckpointsTests",
      dependencies: ["Checkpoints", "Conformer", "CZlib", "Tensor", "TestSupport"]),
    .testTarget(
      name: "RecognizerTests",
      dependencies: [
        "Recognizer", "AllocationCounter", "Audio", "Checkpoints", "Conformer", "Decoding",
        "Tensor",
        "TestSupport",
      ],
      exclude: ["Fixtures"]),
    .testTarget(
      name: "CommandTests",
      dependencies: ["starling", "Audio", "Conformer", "CZlib", "TestSupport"]),
  ],
  swiftLanguageModes: [.v6]
)
