import Testing
import Wire

@Suite struct NetworkAddressTests {
  @Test(arguments: ["127.0.0.1:7700", "[::1]:2700", "unix:/run/starling.sock", "localhost:0"])
  func areReadAsTheyAreWritten(_ text: String) {
    #expect(NetworkAddress(text)?.description == text)
  }

  @Test(arguments: ["", "7700", "host", "host:", ":80", "host:65536", "unix:", "[]:80"])
  func othersAreRefused(_ text: String) {
    #expect(NetworkAddress(text) == nil)
  }
}
