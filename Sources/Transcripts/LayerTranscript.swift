/// What one recording sounds like to each layer of an encoder.
public struct LayerTranscript: Equatable, Sendable {
  /// The input as the user named it.
  public var file: String
  /// Through what the layers were looked at; nil for the CTC head.
  public var through: String?
  /// Seconds of audio.
  public var duration: Double
  /// Numbers of layers, from 1, and what is read off them.
  public var layers: [Layer]

  public struct Layer: Equatable, Sendable {
    public var number: Int
    public var text: String

    public init(number: Int, text: String) {
      self.number = number
      self.text = text
    }
  }

  public init(file: String, through: String? = nil, duration: Double, layers: [Layer]) {
    self.file = file
    self.through = through
    self.duration = duration
    self.layers = layers
  }

  /// A layer a line: its number, a tab, its text.
  public var text: String {
    layers.map { "\($0.number)\t\($0.text)\n" }.joined()
  }

  /// One pretty-printed object, line end included.
  public var json: String {
    let layers = JSONText.array(
      layers.map {
        .object([("layer", .number(String($0.number))), ("text", .string($0.text))])
      })
    return JSONText.object(
      [("file", .string(file))] + (through.map { [("through", .string($0))] } ?? [])
        + [("duration", .seconds(duration)), ("layers", layers)]
    ).pretty() + "\n"
  }
}
