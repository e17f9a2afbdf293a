import Conformer
public import Tensor

/// Memory for the intermediate results of one thread. After the largest step so far, steps take no
/// more from the heap.
public final class Workspace {
  let scratch = ScratchArena()
  /// The chunks of the step that runs, and their blocks; empty between steps.
  var chunks: [RecognizerStream.Chunk] = []
  var blocks: [EncoderBlock] = []

  public init() {}

  /// Where the time of each stage is added up, if somebody asks.
  public var stageTimes: StageTimes? {
    get { scratch.stageTimes }
    set { scratch.stageTimes = newValue }
  }

  /// Bytes held.
  public var byteCount: Int { scratch.byteCount }
}
