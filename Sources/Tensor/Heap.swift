import CKernels

/// The process's heap.
public enum Heap {
  /// Gives free memory back to the system, which the C library would keep for later.
  public static func trim() { ck_trim_heap() }
}
