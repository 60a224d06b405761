//! A real headless Chromium, driven by its driver's `WebDriver` protocol on loopback.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

/// A browser with a page; it ends when dropped.
pub struct Browser {
    driver: Child,
    session: String,
    http: reqwest::Client,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// Starts one, if this machine has one.
    pub fn start() -> Option<Self> {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let mut lines = BufReader::new(driver.stdout.take().expect("a pipe")).lines();
        let port = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| {
                let (_, rest) = line.split_once("successfully on port ")?;
                rest.trim_end_matches('.').parse::<u16>().ok()
            })
            .expect("ChromeDriver names its port");
        // It is read to its end, so that the driver never waits for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        let profile = tempfile::tempdir().expect("a folder");
        let arguments = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
            "--window-size=1200,900",
            &format!("--user-data-dir={}", profile.path().display()),
        ];
        let capabilities = json!({"capabilities": {"alwaysMatch": {
            "goog:chromeOptions": {"args": arguments},
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
        }}});
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        let mut browser =
            Self { driver, session: format!("http://127.0.0.1:{port}/session"), http, _profile: profile };
        let made = browser.post("", &capabilities);
        let id = made["sessionId"].as_str().unwrap_or_else(|| panic!("no session: {made}")).to_owned();
        browser.session = format!("{}/{id}", browser.session);
        Some(browser)
    }

    fn ask(request: reqwest::RequestBuilder) -> Value {
        let text = sidsweep::twilio::block_on(async { request.send().await?.text().await })
            .expect("ChromeDriver answers");
        let mut answer: Value = serde_json::from_str(&text).expect("JSON");
        let value = answer["value"].take();
        assert!(value["error"].is_null(), "{value}");
        value
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        let url = format!("{}{path}", self.session);
        Self::ask(self.http.post(url).header("Content-Type", "application/json").body(body.to_string()))
    }

    /// Opens a file.
    pub fn open(&self, path: &std::path::Path) {
        self.post("/url", &json!({"url": format!("file://{}", path.display())}));
    }

    /// Runs a function's body in the page and returns its result.
    pub fn run(&self, script: &str) -> Value {
        self.post("/execute/sync", &json!({"script": script, "args": []}))
    }

    /// Presses keys, wherever the focus is.
    pub fn press(&self, keys: &str) {
        let actions: Vec<Value> = keys
            .chars()
            .flat_map(|key| {
                [json!({"type": "keyDown", "value": key}), json!({"type": "keyUp", "value": key})]
            })
            .collect();
        self.post("/actions", &json!({"actions": [{"type": "key", "id": "keyboard", "actions": actions}]}));
    }

    /// Chooses an option of a select, as a person does.
    pub fn choose(&self, filter: &str, value: &str) {
        self.run(&format!(
            "const s = document.querySelector('select[data-filter={filter}]'); s.value = {}; s.dispatchEvent(new Event('input', {{bubbles: true}}));",
            json!(value)
        ));
    }

    /// A picture of the page, in PNG.
    pub fn picture(&self) -> Vec<u8> {
        let encoded = Self::ask(self.http.get(format!("{}/screenshot", self.session)));
        data_encoding::BASE64.decode(encoded.as_str().expect("a picture").as_bytes()).expect("base64")
    }

    /// What the page wrote to the console, and the addresses that were asked for over the network.
    pub fn log(&self) -> (Vec<String>, Vec<String>) {
        let of = |kind: &str| -> Vec<Value> {
            self.post("/se/log", &json!({"type": kind})).as_array().cloned().unwrap_or_default()
        };
        let said = of("browser").iter().map(|entry| entry["message"].to_string()).collect();
        let asked = of("performance")
            .iter()
            .filter_map(|entry| serde_json::from_str::<Value>(entry["message"].as_str()?).ok())
            .filter(|entry| entry["message"]["method"] == "Network.requestWillBeSent")
            .filter_map(|entry| entry["message"]["params"]["request"]["url"].as_str().map(str::to_owned))
            // The browser's own new-tab page is of no interest.
            .filter(|url| url.starts_with("http") || url.starts_with("ws"))
            .collect();
        (said, asked)
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = sidsweep::twilio::block_on(self.http.delete(&self.session).send());
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
