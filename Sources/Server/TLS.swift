import NIOCore
import NIOSSL
import Synchronization

/// A certificate and its key, for listeners that encrypt (TLS 1.2 and later).
public final class TLS: Sendable {
  /// PEM files.
  private let certificatePath: String
  private let keyPath: String
  private let context: Mutex<NIOSSLContext>

  /// - Parameters:
  ///   - certificatePath: PEM file of the certificate and those that sign it, its own first.
  ///   - keyPath: PEM file of its private key.
  public init(certificatePath: String, keyPath: String) throws(TLSError) {
    self.certificatePath = certificatePath
    self.keyPath = keyPath
    context = Mutex(try Self.load(certificatePath, keyPath))
  }

  /// Reads the files again, for connections that begin from now on.
  ///
  /// - Throws: if they are no good; what was read before then stays.
  public func reload() throws(TLSError) {
    let new = try Self.load(certificatePath, keyPath)
    context.withLock { $0 = new }
  }

  /// Must be called on the channel's event loop.
  func addHandler(to channel: any Channel) throws {
    let context = context.withLock { $0 }
    try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
  }

  private static func load(
    _ certificatePath: String, _ keyPath: String
  ) throws(TLSError) -> NIOSSLContext {
    let certificates = try reading(certificatePath, "a PEM file of certificates") {
      try NIOSSLCertificate.fromPEMFile(certificatePath)
    }
    let key = try reading(keyPath, "a PEM file of a private key") {
      try NIOSSLPrivateKey(file: keyPath, format: .pem)
    }
    var configuration = TLSConfiguration.makeServerConfiguration(
      certificateChain: certificates.map { .certificate($0) }, privateKey: .privateKey(key))
    configuration.minimumTLSVersion = .tlsv12
    return try reading(certificatePath, "the certificate of '\(keyPath)'") {
      try NIOSSLContext(configuration: configuration)
    }
  }

  private static func reading<Value>(
    _ path: String, _ expected: String, _ body: () throws -> Value
  ) throws(TLSError) -> Value {
    do { return try body() } catch {
      throw TLSError(path: path, expected: expected, found: "\(error)")
    }
  }
}

/// A certificate or key that cannot be used.
public struct TLSError: Error, Equatable, CustomStringConvertible {
  public let path: String
  public let expected: String
  public let found: String

  public var description: String { "'\(path)': expected \(expected), found \(found)" }
}
