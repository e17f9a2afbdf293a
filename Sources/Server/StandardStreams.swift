import Foundation
import NIOCore
import NIOPosix

/// Standard input and output as a listener that takes one connection.
struct StandardStreamsBinding: Binding {
  private let service: Service
  private let client: ByteBinding.Client
  /// Opens when all output is written.
  private let isWritten: Gate

  var port: Int? { nil }
  /// The connection is drained like any other.
  func close() {}

  init(_ service: Service, _ group: any EventLoopGroup) async throws {
    self.service = service
    // The process keeps its own descriptors, and a lost output is an error, not a signal.
    signal(SIGPIPE, SIG_IGN)
    let output = try Self.writable(STDOUT_FILENO)
    isWritten = output.isWritten
    client = try await NIOPipeBootstrap(group: group)
      .channelOption(.allowRemoteHalfClosure, value: true)
      .takingOwnershipOfDescriptors(
        input: try Self.readable(STDIN_FILENO), output: output.descriptor
      ) { ByteBinding.configure($0, nil) }
  }

  func serve(_ context: ServerContext) async {
    // Whoever has started the process knows how long it may wait.
    await ByteBinding.serve(client, service, context, isTimed: false)
    await isWritten.wait()
  }

  /// `descriptor`, or a pipe that a thread fills from it: files cannot be waited for.
  private static func readable(_ descriptor: Int32) throws -> Int32 {
    guard isFile(descriptor) else { return dup(descriptor) }
    let ends = try makePipe()
    copy(from: dup(descriptor), to: ends.write, isDone: Gate())
    return ends.read
  }

  /// `descriptor`, or a pipe that a thread empties into it.
  private static func writable(
    _ descriptor: Int32
  ) throws -> (descriptor: Int32, isWritten: Gate) {
    let isWritten = Gate()
    guard isFile(descriptor) else {
      isWritten.open()
      return (dup(descriptor), isWritten)
    }
    let ends = try makePipe()
    copy(from: ends.read, to: dup(descriptor), isDone: isWritten)
    return (ends.write, isWritten)
  }

  private static func isFile(_ descriptor: Int32) -> Bool {
    var status = stat()
    return fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
  }

  private static func makePipe() throws -> (read: Int32, write: Int32) {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else {
      throw ListenerError(text: "stdio", reason: String(cString: strerror(errno)))
    }
    return (ends[0], ends[1])
  }

  private static func copy(from source: Int32, to target: Int32, isDone: Gate) {
    let thread = Thread {
      defer { isDone.open() }
      let (source, target) = (
        FileHandle(fileDescriptor: source, closeOnDealloc: true),
        FileHandle(fileDescriptor: target, closeOnDealloc: true)
      )
      while let data = try? source.read(upToCount: 1 << 16), !data.isEmpty {
        guard (try? target.write(contentsOf: data)) != nil else { return }
      }
    }
    thread.start()
  }
}
