/// Spoken and written text, a pair a line; what stays has only one side.
enum NumberCases {
  static let changed = pairs(
    """
    twenty five | 25
    one hundred and three | 103
    one hundred three people came | 103 people came
    a hundred and three | 103
    two thousand and six | 2006
    two thousand six | 2006
    one million | 1,000,000
    one million two hundred thousand and five | 1,200,005
    ninety nine thousand nine hundred ninety nine | 99,999
    ten | 10
    eleven men | 11 men
    the twelve apostles | the 12 apostles
    one thousand | 1000
    twelve hundred | 1200
    twenty five hundred | 2500
    nineteen hundred and five | 1905
    three hundred thousand | 300,000
    three hundred and forty five million | 345,000,000
    two billion and one | 2,000,000,001
    a thousand and one nights | 1001 nights
    between twenty and thirty | between 20 and 30
    between one hundred and two hundred | between 100 and 200
    between one hundred and twenty | between 100 and 20
    one hundred and two hundred | 100 and 200
    one thousand and two thousand | 1000 and 2000
    one hundred and two thousand | 102,000
    twenty one of them | 21 of them
    twenty or thirty | 20 or 30
    minus twenty | minus 20
    no one of the fifty | no one of the 50
    Twenty Five | 25
    twenty first | 21st
    the twenty second regiment | the 22nd regiment
    thirty third | 33rd
    tenth | 10th
    the eleventh hour | the 11th hour
    twelfth night | 12th night
    the thirteenth | the 13th
    the twentieth century | the 20th century
    one hundred and third | 103rd
    one hundred and eleventh | 111th
    two hundredth | 200th
    at one oh five five | at 1055
    a twenty first birthday | a 21st birthday
    two thousand and sixth | 2006th
    nineteen eighty four | 1984
    in nineteen ninety | in 1990
    eighteen twelve | 1812
    seventeen seventy six | 1776
    twenty twenty | 2020
    twenty twenty five | 2025
    twenty oh six | 2006
    nineteen oh five | 1905
    ten sixty six | 1066
    fourteen ninety two | 1492
    about fourteen fifty five | about 1455
    fifteen twenty minutes | 15 20 minutes
    the nineteen eighties | the 1980s
    the third of march nineteen ninety | 3 March 1990
    the first of may | 1 May
    on the thirty first of december two thousand and six we met | on 31 December 2006 we met
    twenty second of july | 22 July
    the thirtieth of april the first shot | 30 April the first shot
    march third | March 3
    march third nineteen ninety | March 3 1990
    july the fourth | July 4
    july fourth seventeen seventy six | July 4 1776
    december twenty fifth | December 25
    may the first nineteen hundred | May 1 1900
    march first two thousand | March 1 2000
    five dollars and twenty cents | $5.20
    five dollars twenty cents | $5.20
    five dollars and five cents | $5.05
    ten pounds | £10
    ten pounds and five pence | £10.05
    one dollar | $1
    a hundred dollars | $100
    a thousand pounds a year | £1000 a year
    seven euros | €7
    twenty cents | 20 cents
    six pence | 6 pence
    two point five million dollars | $2.5 million
    three million dollars | $3,000,000
    a five dollar bill | a $5 bill
    five percent | 5%
    one percent | 1%
    zero percent | 0%
    one hundred percent | 100%
    a hundred percent | 100%
    twenty five per cent of it | 25% of it
    three point five percent | 3.5%
    three thirty p m | 3:30 pm
    three oh five a m | 3:05 am
    five p m | 5 pm
    five pm | 5 pm
    twelve forty five pm | 12:45 pm
    six o'clock | 6 o'clock
    one o'clock | 1 o'clock
    at three thirty | at 3:30
    at ten fifteen we left | at 10:15 we left
    three point one four | 3.14
    zero point five | 0.5
    twenty point two five | 20.25
    one point oh one | 1.01
    ten thousand point one | 10,000.1
    one two three four | 1234
    nine one one | 911
    one oh five | 105
    five five five one two one two | 5551212
    one two three four five | 12345
    call zero two seven now | call 027 now
    one two three hundred | one two 300
    five miles | 5 miles
    ninety degrees | 90 degrees
    two gigabytes | 2 gigabytes
    a twenty second delay | a 20 second delay
    """)

  static let unchanged = lines(
    """
    no one
    one of them
    no one of us knew one another
    one
    two
    nine lives
    the first time
    second to none
    a third of it
    two thirds
    three quarters
    one third
    one tenth
    a tenth of it
    one hundredth
    the thousandth time
    a hundred
    a hundred people
    a thousand times no
    a few hundred
    hundreds of thousands
    several million
    two or three
    two or three hundred people
    five or six percent
    one or two dollars
    the point one makes
    that is the point
    at this point one of them left
    half past three
    a quarter to nine
    three thirty
    ten fifteen
    one two
    you may first sit down
    they march second
    may the fourth be with you
    the march of time
    may one ask
    oh one moment
    one mile
    one pounds the table
    per cent
    a pound of flesh
    the eighties
    zero
    a m
    i a m
    o'clock
    25 and 1984
    $5.20 at 3:30 pm
    3 March 1990
    and
    a
    point
    hundred
    thousand and
    twenties
    someone often attends weight tenfold
    """)

  private static func lines(_ text: String) -> [String] {
    text.split(separator: "\n").map(String.init)
  }

  private static func pairs(_ text: String) -> [(spoken: String, written: String)] {
    lines(text).map { line in
      let sides = line.split(separator: " | ")
      return (String(sides[0]), String(sides[1]))
    }
  }
}
