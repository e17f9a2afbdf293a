import Foundation
import Logging
import NIOCore

/// Leaves connections to the kernel's queue while the process has few file descriptors to spare.
///
/// A service needs some itself: to read a new model, to hold an upload, and libdispatch opens one
/// every second to look after its threads and ends the process where it cannot. Belongs into a
/// listener's pipeline, whose channel must accept one connection for each `read`.
final class DescriptorReserve: ChannelDuplexHandler {
  typealias InboundIn = any Channel
  typealias OutboundIn = Never

  private let logger: Logger
  private var retry: Scheduled<Void>?
  private var nextWarning = NIODeadline.now()

  init(logger: Logger) { self.logger = logger }

  func read(context: ChannelHandlerContext) {
    guard retry == nil else { return }
    let (open, limit) = Self.descriptors()
    guard limit - open < min(Self.reserve, limit / 4) else { return context.read() }
    warn(open: open, limit: limit)
    retry = context.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(250)) {
      self.retry = nil
      self.read(context: context)
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    retry?.cancel()
    context.fireChannelInactive()
  }

  func handlerRemoved(context: ChannelHandlerContext) { retry?.cancel() }

  /// At most once a minute.
  private func warn(open: Int, limit: Int) {
    guard NIODeadline.now() >= nextWarning else { return }
    nextWarning = .now() + .minutes(1)
    logger.warning(
      "too few file descriptors for more connections, which wait until others end; allow more (LimitNOFILE, ulimit -n)",
      metadata: ["open": "\(open)", "limit": "\(limit)"])
  }

  private static let reserve = 32

  /// How many are open, and how many may be. The limit may change while a process runs.
  private static func descriptors() -> (open: Int, limit: Int) {
    var limit = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    guard let folder = opendir("/proc/self/fd") else { return (0, .max) }
    defer { closedir(folder) }
    var entries = 0
    while readdir(folder) != nil { entries += 1 }
    // Without ".", ".." and the folder itself.
    return (entries - 3, Int(clamping: limit.rlim_cur))
  }
}
