public import CKernels

/// The row-wise kernels of this processor.
public enum Kernels {
  /// The best set this processor has, chosen once.
  public static let active: ck_table = ck_kernels(ck_best_isa()).pointee

  /// Name of the active instruction set, for reports.
  public static let instructionSet: String =
    switch ck_best_isa() {
    case CK_ISA_AVX512_VNNI: "AVX-512 VNNI"
    case CK_ISA_AVX512: "AVX-512"
    case CK_ISA_AVX_VNNI: "AVX-VNNI"
    case CK_ISA_AVX2: "AVX2"
    case CK_ISA_NEON_DOT: "NEON with dot products"
    default: "portable"
    }
}
