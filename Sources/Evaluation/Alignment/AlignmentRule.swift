/// Which of all alignments of two texts is the one whose errors are counted.
public enum AlignmentRule: String, CaseIterable, Sendable {
  /// One with the fewest errors (Levenshtein 1966).
  ///
  /// Where several have as few, they differ in how the errors are called: two substitutions may
  /// also be a deletion and an insertion. The choice then is that of jiwer's rapidfuzz: words that
  /// both texts begin or end with are matched, and the rest is read from its end: a deletion where
  /// one can be; else an insertion if the hypothesis without its last word has one error less
  /// against this reference than against the reference without its last word; else a match or
  /// substitution. So rates and counts are jiwer's. Texts whose table would exceed 16 MiB are
  /// halved first (Hirschberg 1975), at the first place of the reference that keeps the fewest
  /// errors: the errors are as many there, and only a tie may be told otherwise.
  case levenshtein
  /// As NIST's sclite aligns: a substitution costs 4, a deletion or insertion 3. It never counts
  /// fewer errors than `levenshtein`, sometimes more, and matches more words. Of equal cost is
  /// taken, from the end: a match or substitution, else an insertion, else a deletion.
  case sclite
}
