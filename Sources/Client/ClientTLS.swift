import NIOCore
import NIOSSL
import Wire

/// How a client encrypts, and whom it trusts.
public struct ClientTLS: Sendable {
  private let context: NIOSSLContext

  /// - Parameter authorities: PEM file of the certificates that are trusted; nil for the system's.
  public init(authorities: String? = nil) throws(ClientError) {
    var configuration = TLSConfiguration.makeClientConfiguration()
    configuration.minimumTLSVersion = .tlsv12
    if let authorities { configuration.trustRoots = .file(authorities) }
    do { context = try NIOSSLContext(configuration: configuration) } catch {
      throw .cannotConnect(
        reason: "'\(authorities ?? "the system's certificates")' cannot be read: \(error)")
    }
  }

  /// Must be called on the channel's event loop.
  func addHandler(to channel: any Channel, _ address: NetworkAddress) throws {
    let handler =
      switch address {
      case .tcp(let host, _) where (try? SocketAddress(ipAddress: host, port: 0)) == nil:
        try NIOSSLClientHandler(context: context, serverHostname: host)
      default: try NIOSSLClientHandler(context: context, serverHostname: nil)
      }
    try channel.pipeline.syncOperations.addHandler(handler)
  }
}
