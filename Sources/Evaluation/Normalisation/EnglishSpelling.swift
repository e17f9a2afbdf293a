/// British and other spellings of English made American.
enum EnglishSpelling {
  static func american(_ word: String) -> String {
    let once = replaced(word)
    // "colourise" is spelled otherwise twice.
    return once == word ? once : replaced(once)
  }

  private static func replaced(_ word: String) -> String {
    if let other = words[word] { return other }
    guard word.utf8.count > 3 else { return word }
    for prefix in prefixes where word.hasPrefix(prefix) {
      let rest = word.dropFirst(prefix.count)
      // The longest stem: "neighbour" before "neigh".
      for length in stride(from: min(rest.count, longestStem), through: 4, by: -1) {
        if let stem = stems[String(rest.prefix(length))] {
          return prefix + stem + rest.dropFirst(length)
        }
      }
    }
    return word
  }

  private static let prefixes = [
    "", "un", "dis", "mis", "re", "over", "de", "pre", "kilo", "centi", "milli",
  ]

  /// Beginnings that are spelled otherwise, with whatever follows them.
  private static let stems: [String: String] = {
    var stems: [String: String] = [:]
    let our =
      "col hon fav lab neighb behavi harb hum rum flav vap arm parl od vig rig sav splend tum val "
      + "ard cand clam demean endeav ferv ranc savi succ arb enam pard misdemean"
    for stem in our.split(separator: " ") { stems[stem + "our"] = stem + "or" }
    let ise =
      "real recogn organ color apolog author character civil colon computer critic custom econom "
      + "emphas energ equal familiar fertil final general harmon hospital ideal immun "
      + "industrial initial item legal liberal local magnet maxim mechan memor minim mobil modern "
      + "monopol national natural neutral normal optim penal personal polar popular priorit privat "
      + "public random rational revolution satir scrutin sensit social special stabil standard "
      + "steril summar symbol sympath synchron synthes theor token tranquill urban util vandal "
      + "verbal victim visual vocal agon antagon brutal capital central crystal democrat digit "
      + "dramat fantas formal fratern global hypnot internal italic jeopard material mesmer "
      + "moral mort organ ostrac oxid pasteur patron plagiar pressur pulver rhapsod scandal "
      + "solemn special subsid systemat tantal terror trivial tyrann vapor vital western"
    for stem in ise.split(separator: " ") {
      for end in ["e", "i", "a"] { stems[stem + "is" + end] = stem + "iz" + end }
    }
    for stem in ["anal", "paral", "catal"] {
      for end in ["ed", "ing", "er"] { stems[stem + "ys" + end] = stem + "yz" + end }
    }
    let doubled =
      "travel cancel label model signal quarrel counsel fuel level marvel jewel channel duel "
      + "equal funnel grovel libel panel parcel rival shovel spiral swivel total tunnel unravel "
      + "dial pedal initial snivel revel pencil"
    for stem in doubled.split(separator: " ") {
      for end in ["ed", "ing", "er", "or", "ous", "ery"] { stems[stem + "l" + end] = stem + end }
    }
    for stem in ["defen", "offen", "licen", "preten"] { stems[stem + "ce"] = stem + "se" }
    for stem in ["catalog", "dialog", "analog", "monolog", "prolog", "epilog"] {
      stems[stem + "ue"] = stem
      stems[stem + "ued"] = stem + "ed"
      stems[stem + "uing"] = stem + "ing"
    }
    let pairs =
      "anaem anem anaesth anesth encyclopaed encycloped mediaeval medieval foet fet "
      + "oestrogen estrogen orthopaed orthoped paediatr pediatr haemo hemo leukaem leukem "
      + "manoeuvr maneuver gynaeco gyneco diarrhoea diarrhea oesophag esophag homoeopath homeopath "
      + "plough plow programme program aluminium aluminum moustach mustach pyjama pajama "
      + "sceptic skeptic mould mold smoulder smolder draught draft skilful skillful "
      + "wilful willful instalment installment enrolment enrollment fulfilment fulfillment "
      + "judgement judgment acknowledgement acknowledgment woollen woolen jewellery jewelry "
      + "cheque check artefact artifact carcase carcass sulphur sulfur connexion connection "
      + "gramme gram doughnut donut cosy cozy greyish grayish practis practic"
    let split = pairs.split(separator: " ").map(String.init)
    for index in stride(from: 0, to: split.count, by: 2) { stems[split[index]] = split[index + 1] }
    return stems
  }()

  private static let longestStem = stems.keys.map(\.count).max() ?? 0

  /// Words that are spelled otherwise as a whole.
  private static let words: [String: String] = {
    var words = [
      "moult": "molt", "moults": "molts", "moulted": "molted", "moulting": "molting",
      "grey": "gray", "greys": "grays", "tyre": "tire", "tyres": "tires", "kerb": "curb",
      "storey": "story", "storeys": "stories", "gaol": "jail", "gaols": "jails",
      "ageing": "aging", "axe": "ax", "disc": "disk", "discs": "disks",
      "fulfil": "fulfill",
      "fulfils": "fulfills", "enrol": "enroll",
      "enrols": "enrolls", "instil": "instill", "distil": "distill", "ok": "okay",
      "analyse": "analyze", "paralyse": "paralyze", "catalyse": "catalyze", "colour": "color",
      "manoeuvre": "maneuver", "manoeuvres": "maneuvers", "manoeuvred": "maneuvered",
    ]
    for stem in "cent theat met lit fib calib lust somb spect sab meag scept mit och".split(
      separator: " ")
    {
      words[stem + "re"] = stem + "er"
      words[stem + "res"] = stem + "ers"
    }
    for prefix in ["kilo", "centi", "milli"] {
      for (british, american) in [("metre", "meter"), ("litre", "liter")] {
        words[prefix + british] = prefix + american
        words[prefix + british + "s"] = prefix + american + "s"
      }
    }
    words["centred"] = "centered"
    return words
  }()
}
