import Foundation

/// Tells systemd how the service is: sd_notify(3). Does nothing where there is no systemd.
struct SystemdNotifier: Sendable {
  private let address: String?
  private let watchdogSeconds: Double?

  /// - Parameter environment: of the process: `NOTIFY_SOCKET`, `WATCHDOG_USEC`.
  init(environment: [String: String]) {
    address = environment["NOTIFY_SOCKET"]
    watchdogSeconds = environment["WATCHDOG_USEC"].flatMap(Double.init).map { $0 / 1e6 }
  }

  /// - Parameter state: `READY=1` and so on, one a line.
  func notify(_ state: String) {
    guard let address, address.utf8.count < 108 else { return }
    let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    var target = sockaddr_un()
    target.sun_family = sa_family_t(AF_UNIX)
    // An abstract address begins with a zero byte, written as '@'.
    let path = address.hasPrefix("@") ? [0] + Array(address.utf8.dropFirst()) : Array(address.utf8)
    withUnsafeMutableBytes(of: &target.sun_path) { $0.copyBytes(from: path) }
    let length = socklen_t(MemoryLayout<sa_family_t>.size + path.count)
    _ = withUnsafePointer(to: &target) { target in
      target.withMemoryRebound(to: sockaddr.self, capacity: 1) { target in
        sendto(descriptor, state, state.utf8.count, Int32(MSG_NOSIGNAL), target, length)
      }
    }
  }

  /// `RELOADING=1`, with the time as systemd wants it.
  func notifyReloading() {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    notify("RELOADING=1\nMONOTONIC_USEC=\(now.tv_sec * 1_000_000 + now.tv_nsec / 1000)")
  }

  /// Says that the service is alive whenever `probe` returns, often enough for systemd's watchdog.
  ///
  /// - Returns: nil if systemd does not ask.
  func watch(_ probe: @escaping @Sendable () async -> Void) -> Task<Void, any Error>? {
    guard let watchdogSeconds else { return nil }
    return Task {
      while true {
        try await Task.sleep(for: .seconds(watchdogSeconds / 3))
        await probe()
        notify("WATCHDOG=1")
      }
    }
  }
}

/// Signals as events.
enum Signals {
  /// Calls `body` on each of these signals, one after the other.
  static func on(
    _ numbers: Int32..., body: @escaping @Sendable () -> Void
  ) -> [any DispatchSourceSignal] {
    numbers.map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
      source.setEventHandler(handler: body)
      source.resume()
      return source
    }
  }

  private static let queue = DispatchQueue(label: "signals")
}
