"""The page of `starling wer --report` in a headless Chromium."""

import shutil
import subprocess
import unittest

from support import SAMPLES, STARLING, FolderTest

try:
    from playwright.sync_api import sync_playwright
except ImportError:
    sync_playwright = None
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@unittest.skipUnless(sync_playwright, "playwright is not installed (pip install playwright)")
@unittest.skipUnless(CHROMIUM, "no Chromium is installed (apt install chromium)")
class PageTests(FolderTest):
    def setUp(self):
        super().setUp()
        # More than a portion of utterances; in every third "cat" is heard as "hat".
        reference = "id,text,speaker,duration\n" + "".join(f"u{n},the cat is number {n},s{n % 4},{1 + n / 10}\n" for n in range(240))
        heard = "".join(f"u{n} the {'hat' if n % 3 == 0 else 'cat'} is number {n}\n" for n in range(240))
        self.write("ref.csv", reference + 'telephone-8khz,"<script>alert(1)</script> & ""so""",s9,2\n')
        self.write("text", heard + "telephone-8khz so\n")
        subprocess.run(
            [STARLING, "wer", "ref.csv", "text", "--against", "text", "--audio", str(SAMPLES), "--report", "page.html", "--condition", "model=a<b"],
            cwd=self.folder, check=True, stdout=subprocess.DEVNULL,
        )
        playwright = sync_playwright().start()
        self.addCleanup(playwright.stop)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        self.addCleanup(browser.close)
        self.page = browser.new_page()
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto((self.folder / "page.html").as_uri())

    def test_everything_is_there_and_nothing_is_said_on_the_console(self):
        page = self.page
        self.assertIn("Word error rate", page.inner_text(".tiles"))
        self.assertIn("%", page.inner_text(".tile strong >> nth=0"))
        # By length and by duration; one sample with audio makes no plot of noise.
        self.assertEqual(page.locator("#plots svg").count(), 2)
        self.assertEqual(page.locator("#plots svg >> nth=0").locator("rect").count(), 10)
        self.assertIn("cat", page.inner_text("#words"))
        self.assertIn("a<b", page.inner_text("#conditions"))
        self.assertIn("probability", page.inner_text("#paired"))
        self.assertEqual(self.complaints, [])
        # The page is one file: nothing else was asked for.
        self.assertEqual([url for url in self.requests if not url.startswith("data:")], [(self.folder / "page.html").as_uri()])

    def test_search_order_and_more(self):
        page = self.page
        found = lambda: page.inner_text("#found")
        articles = page.locator("article")
        self.assertEqual(found(), "81 of 241 utterances")
        self.assertEqual(articles.count(), 50)
        page.click("#more")
        self.assertEqual(articles.count(), 81)
        self.assertTrue(page.locator("#more").is_hidden())
        page.fill("#search", "HAT number 12")
        # Every term may stand anywhere in the id, the speaker or the words.
        expected = [n for n in range(0, 240, 3) if "12" in f"u{n} s{n % 4} number {n}"]
        self.assertEqual(found(), f"{len(expected)} of 241 utterances")
        self.assertIn("hat", articles.first.inner_text())
        page.fill("#search", "u1 s1")
        page.uncheck("#wrong")
        self.assertEqual(articles.count(), len([n for n in range(240) if "u1" in f"u{n}" and n % 4 == 1]))
        page.fill("#search", "no such word")
        self.assertEqual(found(), "0 of 241 utterances")
        page.fill("#search", "")
        page.select_option("#order", "rate")
        self.assertIn("<script>alert(1)</script>", articles.first.inner_text())
        self.assertEqual(self.complaints, [])

    def test_audio_is_in_the_page_and_plays(self):
        page = self.page
        page.fill("#search", "telephone")
        self.assertTrue(page.get_attribute("audio", "src").startswith("data:audio/wav;base64,"))
        seconds = page.evaluate(
            """() => new Promise((resolve, reject) => { const audio = document.querySelector("audio");
               audio.onloadedmetadata = () => resolve(audio.duration); audio.onerror = () => reject(audio.error.message); audio.load(); })"""
        )
        self.assertGreater(seconds, 1)

    def test_tables_sort(self):
        page = self.page
        first = lambda: page.inner_text(".sortable tbody tr >> nth=0").split()[0]
        self.assertEqual(first(), "s0")
        page.click(".sortable th >> nth=0")
        page.click(".sortable th >> nth=0")
        self.assertEqual(first(), "s9")


if __name__ == "__main__":
    unittest.main()
