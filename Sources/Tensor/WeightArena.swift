import Foundation

/// Memory for the packed weights of one model, in the order in which they are loaded, which is the
/// order in which a step reads them: so what is fetched ahead behind one layer is the next one. The
/// system is asked for huge pages, as a step touches all of it.
///
/// Written while a model is loaded and never again; that is why the type may cross threads.
public final class WeightArena: @unchecked Sendable {
  private static let hugePage = 2 << 20
  private static let alignment = 64

  private let mapping: UnsafeMutableRawPointer
  private let mappingSize: Int
  private var next: UnsafeMutableRawPointer
  private var free: Int

  /// Room for `capacity` bytes, which take memory when they are written; in huge pages as far as
  /// they are sure to be filled, up to `filled` bytes.
  init(capacity: Int, filled: Int = 0) {
    let inHugePages = filled / Self.hugePage * Self.hugePage
    let alignment = inHugePages == 0 ? Self.alignment : Self.hugePage
    mappingSize = capacity + alignment
    let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
    guard let mapping = mmap(nil, mappingSize, PROT_READ | PROT_WRITE, flags, -1, 0),
      mapping != MAP_FAILED
    else { preconditionFailure("no \(mappingSize) bytes of address space for weights") }
    self.mapping = mapping
    next = mapping.alignedUp(toMultipleOf: alignment)
    free = capacity
    if inHugePages > 0 { madvise(next, inHugePages, MADV_HUGEPAGE) }
  }

  deinit { munmap(mapping, mappingSize) }

  /// Zeros for `count` words, valid as long as the arena; nil if they do not fit.
  func allocate<Word: BitwiseCopyable>(_ count: Int, of type: Word.Type)
    -> UnsafeMutablePointer<Word>?
  {
    let bytes =
      (count * MemoryLayout<Word>.stride + Self.alignment - 1)
      / Self.alignment * Self.alignment
    guard bytes <= free else { return nil }
    defer {
      next += bytes
      free -= bytes
    }
    return next.bindMemory(to: type, capacity: count)
  }
}
