//! What to do after the fire: in the language of the code, without a value, and asking nobody.

mod common;

use common::rig::Rig;
use common::{report, stdout};
use twilio_sim::World;

#[test]
fn the_guide_speaks_the_language_of_the_code() {
    let mut world = World::new(1);
    let account = world.account("Shop", None);
    let token = world.token(&account);
    let rig = Rig::new(world);
    let path = rig.out().join("report.json").display().to_string();
    for (file, words) in [
        ("Send.cs", "TwilioClient.Init("),
        ("send.py", "client = Client("),
        ("send.ts", "require('twilio')("),
        ("Send.java", "Twilio.init("),
        ("send.rb", "Twilio::REST::Client.new("),
        ("send.php", "new Twilio\\Rest\\Client("),
        ("send.go", "twilio.NewRestClientWithParams("),
        (".env", "secret store"),
    ] {
        rig.write(
            &format!("app/{file}"),
            &format!("twilio_account_sid = \"{account}\"\ntwilio_auth_token = \"{token}\"\n"),
        );
        rig.run(&["scan", "--report", &format!("json={path}")]);
        let output = rig.run(&["revoke", "guide", &path]);
        let page = stdout(&output);
        assert_eq!(output.status.code(), Some(0), "{page}");
        for words in [words, "git filter-repo --replace-text", "Watch the account", "API key in the place of"]
        {
            assert!(page.contains(words), "{file}: {words}: {page}");
        }
        // What it tells to write instead is no leak.
        std::fs::write(rig.code().join("app").join(file), &page).expect("written");
        let (clean, code) = report(&rig.code(), &[]);
        assert_eq!((code, clean["findings"].as_array().map(Vec::len)), (0, Some(0)), "{file}: {clean}");
    }
    assert!(rig.sim.log().is_empty());
}
