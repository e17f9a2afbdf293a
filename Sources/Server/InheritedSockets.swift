import Foundation
import Synchronization

/// Listening sockets that systemd has opened before the process began: sd_listen_fds(3).
public final class InheritedSockets: Sendable {
  private let descriptors: Mutex<[String: Int32]>

  /// None.
  public init() { descriptors = Mutex([:]) }

  /// - Parameter environment: of the process: `LISTEN_PID`, `LISTEN_FDS` and `LISTEN_FDNAMES`.
  public init(environment: [String: String]) {
    var found: [String: Int32] = [:]
    if environment["LISTEN_PID"].flatMap(Int32.init) == getpid(),
      let count = environment["LISTEN_FDS"].flatMap(Int32.init), count > 0
    {
      let names = (environment["LISTEN_FDNAMES"] ?? "").split(
        separator: ":", omittingEmptySubsequences: false)
      for index in 0..<count {
        let descriptor = Self.first + index
        // A process that this one starts must not have them.
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        found[names.indices.contains(Int(index)) ? String(names[Int(index)]) : "\(index)"] =
          descriptor
      }
    }
    descriptors = Mutex(found)
  }

  /// Whether only this machine can reach the listener's socket.
  public func isLocal(_ listener: Listener) -> Bool {
    guard case .systemd(let name) = listener.address,
      let descriptor = descriptors.withLock({ $0[name] })
    else { return false }
    var address = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let result = withUnsafeMutablePointer(to: &address) { address in
      address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        getsockname(descriptor, $0, &length)
      }
    }
    guard result == 0 else { return false }
    switch Int32(address.ss_family) {
    case AF_UNIX: return true
    case AF_INET:
      return withUnsafeBytes(of: &address) {
        // 127.0.0.0/8, in the order of the network
        $0.load(as: sockaddr_in.self).sin_addr.s_addr.bigEndian >> 24 == 127
      }
    case AF_INET6:
      return withUnsafeBytes(of: &address) {
        withUnsafeBytes(of: $0.load(as: sockaddr_in6.self).sin6_addr) {
          $0.dropLast().allSatisfy { $0 == 0 } && $0.last == 1
        }
      }
    default: return false
    }
  }

  /// What the first of them is numbered.
  private static let first: Int32 = 3

  /// - Throws: if there is none of that name, or it is taken.
  func take(_ name: String) throws(MissingSocket) -> Int32 {
    try descriptors.withLock { (descriptors) throws(MissingSocket) in
      guard let descriptor = descriptors.removeValue(forKey: name) else {
        throw MissingSocket(name: name, known: descriptors.keys.sorted())
      }
      return descriptor
    }
  }
}

struct MissingSocket: Error, CustomStringConvertible {
  let name: String
  let known: [String]

  var description: String {
    "systemd has passed no socket named '\(name)'"
      + (known.isEmpty ? "" : "; there are " + known.joined(separator: ", "))
  }
}
