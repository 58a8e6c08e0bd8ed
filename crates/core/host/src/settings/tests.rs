use std::fs;

use secrecy::ExposeSecret;

use super::*;

struct Place(tempfile::TempDir);

impl Place {
    fn with(toml: &str) -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        fs::write(place.0.path().join(DEFAULT_FILE), toml).unwrap();
        place
    }

    fn load(&self, flags: &Flags, variables: &[(&str, &str)]) -> Result<Settings, String> {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        load(flags, self.0.path(), variables.collect()).map_err(|error| error.to_string())
    }

    fn refusal(toml: &str) -> String {
        let place = Self::with(toml);
        let message = place.load(&Flags::default(), &[]).unwrap_err();
        let folder = format!("{}/", place.0.path().display());
        assert!(!message.contains('\n'), "one line: {message}");
        message.replace(&folder, "")
    }
}

#[test]
fn without_anything_there_are_defaults() {
    let place = Place(tempfile::tempdir().unwrap());
    let settings = place.load(&Flags::default(), &[]).unwrap();
    assert_eq!(format!("{settings:?}"), format!("{:?}", Settings::default()));
}

#[test]
fn flags_go_before_environment_before_file_before_defaults() {
    let place = Place::with("queue = 'sqlite:file'\nstore = 'sqlite:file'\ncontact = 'file'\n[lastfm]\nrate = 2\n");
    let flags = Flags { queue: Some("sqlite:flag".into()), ..Flags::default() };
    let variables = [("SPOTIFAI_QUEUE", "sqlite:variable"), ("SPOTIFAI_STORE", "sqlite:variable")];
    let settings = place.load(&flags, &variables).unwrap();
    assert_eq!(settings.queue, "sqlite:flag");
    assert_eq!(settings.store, "sqlite:variable");
    assert_eq!(settings.contact.as_deref(), Some("file"));
    assert_eq!(settings.lastfm.rate, 2.0);
    assert_eq!(settings.spotify.rate, Settings::default().spotify.rate);
}

#[test]
fn variables_are_numbers_or_texts_as_their_setting_is() {
    let variables = [
        ("SPOTIFAI_LASTFM_RATE", " 0.25 "),
        ("SPOTIFAI_SPOTIFY_RATE", "7"),
        ("SPOTIFAI_SPOTIFY_CLIENT_ID", "0123"),
        ("SPOTIFAI_LASTFM_API_KEY", "456"),
        ("SPOTIFAI_CONTACT", ""),
    ];
    let settings = Place::with("contact = 'file'").load(&Flags::default(), &variables).unwrap();
    assert_eq!((settings.lastfm.rate, settings.spotify.rate), (0.25, 7.0));
    assert_eq!(settings.spotify.client_id.as_deref(), Some("0123"));
    assert_eq!(settings.lastfm.api_key.unwrap().expose_secret(), "456");
    assert_eq!(settings.contact.as_deref(), Some("file"), "an empty variable counts as unset");
}

#[test]
fn every_variable_of_the_table_sets_something() {
    let defaults = format!("{:?}", Settings::default());
    for (variable, ..) in ENVIRONMENT {
        let value = value_for(variable);
        let settings = Place::with("").load(&Flags::default(), &[(variable, value)]).unwrap();
        assert_ne!(format!("{settings:?}"), defaults, "{variable} sets nothing");
    }
}

/// Texts as editors, shells and copied lines leave them.
fn padded(value: &str) -> [String; 4] {
    [
        format!("  {value} "),
        format!("{value}\r\n"),
        format!("\u{feff}{value}\t\n"),
        format!("\u{a0}{value}\u{200b}\u{2028}"),
    ]
}

/// All of the settings, secrets too.
fn whole(settings: &Settings) -> String {
    let secrets = [&settings.spotify.client_secret, &settings.lastfm.api_key];
    format!("{settings:?} {:?}", secrets.map(|secret| secret.as_ref().map(|secret| secret.expose_secret().to_owned())))
}

/// A value that each variable takes.
fn value_for(variable: &str) -> &'static str {
    match variable {
        "SPOTIFAI_QUEUE" => "amqp://example.org",
        "SPOTIFAI_STORE" => "mongodb://example.org",
        "SPOTIFAI_EGRESS" | "SPOTIFAI_SPOTIFY_CLIENT_ID" => "office",
        "SPOTIFAI_LISTEN" => "127.0.0.1:9100",
        "SPOTIFAI_LASTFM_BACKOFF" => "1..2",
        rate if rate.ends_with("_RATE") => "9",
        _ => "http://example.org/x",
    }
}

#[test]
fn blanks_and_line_ends_around_any_setting_are_nothing() {
    let place = Place::with("");
    for (variable, key, _) in ENVIRONMENT {
        let value = value_for(variable);
        let plain = whole(&place.load(&Flags::default(), &[(variable, value)]).unwrap());
        for padded in padded(value) {
            let loaded = place.load(&Flags::default(), &[(variable, &padded)]).unwrap();
            assert_eq!(whole(&loaded), plain, "{variable}={padded:?}");
            // Numbers in a file are no texts.
            if !variable.ends_with("_RATE") {
                let (table, name) =
                    key.rsplit_once('.').map_or((String::new(), *key), |(t, n)| (format!("[{t}]\n"), n));
                let file = Place::with(&format!("{table}{name} = {}", toml::Value::from(padded.as_str())));
                assert_eq!(whole(&file.load(&Flags::default(), &[]).unwrap()), plain, "{key} = {padded:?}");
            }
        }
        let blank = place.load(&Flags::default(), &[(variable, " \r\n")]).unwrap();
        assert_eq!(whole(&blank), whole(&Settings::default()), "a blank {variable} counts as unset");
    }
    let flags =
        Flags { queue: Some(" sqlite:flag\n".into()), store: Some("sqlite:flag\r\n".into()), ..Flags::default() };
    let settings = place.load(&flags, &[]).unwrap();
    assert_eq!((&*settings.queue, &*settings.store), ("sqlite:flag", "sqlite:flag"));
    let lists = Place::with("[dataset.cut]\nexcluded = [' rock ', \"pop\\n\"]\nmisc = ' other'");
    let cut = lists.load(&Flags::default(), &[]).unwrap().dataset.label_selection;
    assert_eq!((cut.excluded, cut.misc), (vec!["rock".to_owned(), "pop".to_owned()], "other".to_owned()));
}

#[test]
fn a_file_may_begin_with_a_byte_order_mark_and_leave_things_empty() {
    let place =
        Place::with("\u{feff}contact = ' '\r\nqueue_management_url = ''\r\n[lastfm]\r\napi_key = ''\r\nrate = 2\r\n");
    let settings = place.load(&Flags::default(), &[]).unwrap();
    assert_eq!((settings.contact, settings.queue_management_url, settings.lastfm.rate), (None, None, 2.0));
    assert!(settings.lastfm.api_key.is_none());
}

#[test]
fn a_line_end_within_a_setting_is_refused_by_its_name_and_not_shown() {
    let place = Place::with("");
    for (variable, key, _) in ENVIRONMENT.iter().filter(|(variable, ..)| !variable.ends_with("_RATE")) {
        let broken = format!("hush\n{}", value_for(variable));
        let refused = place.load(&Flags::default(), &[(variable, &broken)]).unwrap_err();
        assert!(refused.starts_with(&format!("environment variable {variable}: {key} has a line end")), "{refused}");
        assert!(!refused.contains("hush") && refused.lines().count() == 1, "{refused}");
    }
    let refused = Place::refusal("[lastfm]\napi_key = \"a\\nhush\"");
    assert!(refused.starts_with("spotifai.toml:2: lastfm.api_key has a line end"), "{refused}");
}

#[test]
fn a_file_named_by_a_flag_replaces_the_usual_one_and_must_be_there() {
    let place = Place::with("contact = 'usual'");
    let other = place.0.path().join("other.toml");
    let flags = Flags { config: Some(other.clone()), ..Flags::default() };
    let missing = place.load(&flags, &[]).unwrap_err();
    assert_eq!(missing, format!("{}: there is no such file or folder", other.display()));
    fs::write(other, "contact = 'other'").unwrap();
    assert_eq!(place.load(&flags, &[]).unwrap().contact.as_deref(), Some("other"));
}

#[test]
fn refusals_are_one_line_with_what_where_and_what_is_expected() {
    let refused = Place::refusal("[lastfm]\nrat = 1\n");
    assert!(refused.starts_with("spotifai.toml:2: lastfm.rat is unknown, expected one of: url, "), "{refused}");
    assert!(refused.ends_with("; did you mean lastfm.rate?"), "{refused}");
    let refused = Place::refusal("contact = 'me'\ncolour = 1\n");
    assert!(refused.starts_with("spotifai.toml:2: colour is unknown, expected one of: queue, "), "{refused}");
    assert!(!refused.contains("did you mean"), "{refused}");
    let refused = Place::refusal("api_key = 'x'\n");
    assert!(refused.ends_with("; did you mean lastfm.api_key?") && !refused.contains("'x'"), "{refused}");
    let refused = Place::refusal("lastfm_rate = 1\n");
    assert!(refused.ends_with("; did you mean lastfm.rate?"), "{refused}");
    let refused = Place::refusal("[lastfn]\nrate = 1\n");
    assert!(
        refused.starts_with("spotifai.toml:1: lastfn is unknown") && refused.ends_with("mean lastfm?"),
        "{refused}"
    );
    for (toml, said) in [
        ("[lastfm]\nrate = 'fast'\n", "2: lastfm.rate is \"fast\", expected a number"),
        ("[worker]\nslots = -1\n", "2: worker.slots is -1, expected a whole number, 0 or more"),
        ("[worker]\nslots = 1.5\n", "2: worker.slots is 1.5, expected a whole number, 0 or more"),
        ("lastfm = 3\n", "1: lastfm is 3, expected a table"),
        (
            "[[lastfm]]\nrate = 3\n",
            "1: lastfm is a list of tables, expected a table: write its header with single brackets, [lastfm]",
        ),
        (
            "\n[[dataset]]\ntop = 3\n",
            "2: dataset is a list of tables, expected a table: write its header with single brackets, [dataset]",
        ),
        ("lastfm.rate.x = 1\n", "1: lastfm.rate is a table, expected a number"),
        ("\n[contact]\nmail = 'me'\n", "2: contact is a table, expected a text in quotes"),
        ("queue = true\n", "1: queue is true, expected a text in quotes"),
        ("# mine\nqueue = 5\n", "2: queue is 5, expected a text in quotes"),
        ("contact = ['me']\n", "1: contact is a list, expected a text in quotes"),
        ("lastfm.rate = 'fast'\n", "1: lastfm.rate is \"fast\", expected a number"),
        ("lastfm = { rate = 'fast' }\n", "1: lastfm.rate is \"fast\", expected a number"),
        ("[lastfm]\napi_key = 5\n", "2: lastfm.api_key is ***, expected a text in quotes"),
        ("[dataset.cut]\nexcluded = 'rock'\n", "2: dataset.cut.excluded is \"rock\", expected a list"),
        ("[dataset.split]\nby_artist = 'yes'\n", "2: dataset.split.by_artist is \"yes\", expected true or false"),
    ] {
        assert_eq!(Place::refusal(toml), format!("spotifai.toml:{said}"), "{toml}");
    }
}

#[test]
fn what_is_quoted_of_a_file_is_its_first_hundred_characters_on_one_line() {
    let long = "é".repeat(5_000);
    let quoted = format!("\\u{{1b}}[2J{}…", "é".repeat(96));
    for (toml, said) in [
        (format!("\"\\u001b[2J{long}\" = 1\n"), format!("{quoted} is unknown")),
        (format!("[lastfm]\n\"\\u001b[2J{long}\" = 1\n"), format!("lastfm.{quoted} is unknown")),
        (format!("[[\"\\u001b[2J{long}\"]]\nx = 1\n"), format!("{quoted} is a list of tables")),
        (format!("egress = '{long}!'\n"), format!("egress is `{}…`", "é".repeat(100))),
        (format!("[lastfm]\nrate = '{long}'\n"), format!("lastfm.rate is \"{}…\"", "é".repeat(100))),
        (format!("{0} = 1\n{0} = 2\n", "e".repeat(5_000)), format!("{}… is set twice", "e".repeat(100))),
    ] {
        let refused = Place::refusal(&toml);
        assert!(refused.contains(&said) && refused.chars().count() < 600, "{refused}");
    }
}

#[test]
fn slips_of_the_pen_are_told_in_our_words_without_what_may_be_a_secret() {
    for (toml, said) in [
        ("queue = none\n", "1: none needs quotes: \"none\""),
        ("contact = 'me'\nstore = None\n", "2: None needs quotes: \"none\""),
        ("[lastfm]\napi_key = hush\n", "2: text needs quotes: \"…\""),
        ("queue = amqp://me:hush@host\n", "1: text needs quotes: \"…\""),
        ("[lastfm]\nrate = = 3\n", "2: this is not a value"),
        ("contact = \"hush\n", "1: a closing quote is missing"),
        ("contact = 'hush\n", "1: a closing quote is missing"),
        (
            "contact = \"C:\\hush\"\n",
            "1: a backslash in \"…\" starts an escape: write two of them, or put the text in '…'",
        ),
        (
            "contact = \"C:\\Users\"\n",
            "1: a backslash in \"…\" starts an escape: write two of them, or put the text in '…'",
        ),
        ("contact = “hush”\n", "1: text needs plain quotes: \"…\""),
        ("queue: 'hush'\n", "1: `=` is missing between a name and its value"),
        (
            "[lastfm]\nrate = 0,5 # hush\n",
            "2: what comes next cannot follow a value: a list needs brackets, a comment starts with #",
        ),
        ("[lastfm\nrate = 1\n", "1: a header is a name in brackets, such as [lastfm]"),
        ("contact = 'a'\ncontact = 'b'\n", "2: contact is set twice"),
        ("[lastfm]\nrate = 1\n[lastfm]\nrate = 2\n", "3: [lastfm] appears twice"),
        ("[lastfm]\nrate =\n", "2: a value is missing"),
        ("[dataset.split]\nby_artist = True\n", "2: write true instead of True"),
        ("// hush\n", "1: this is not a name: a comment starts with #"),
    ] {
        assert_eq!(Place::refusal(toml), format!("spotifai.toml:{said}"), "{toml}");
    }
}

#[test]
fn values_that_make_no_sense_are_refused() {
    for (toml, said) in [
        ("[lastfm]\nrate = 0", "lastfm.rate is 0, expected a number of requests a second above 0"),
        ("[spotify]\nrate = nan", "spotify.rate is NaN, expected"),
        ("[dataset.split]\ntest_size = 1.0", "dataset.split.test_size is 1, expected a fraction between 0 and 1"),
        ("[worker]\nmax_attempts = -1", "worker.max_attempts"),
        ("[worker]\ngrace_seconds = -1", "worker.grace_seconds is -1, expected seconds"),
        ("[lastfm]\nbackoff = '9..1'", "lastfm.backoff is 9..1, expected FIRST..CAP in seconds, with FIRST no"),
        ("[lastfm]\nbackoff = 'often'", "lastfm.backoff is \"often\", expected FIRST..CAP in seconds"),
        ("[lastfm]\nbackoff = 5", "lastfm.backoff is 5, expected FIRST..CAP in seconds"),
        ("[worker]\nlisten = 'here'", "worker.listen is `here`, expected IP:PORT such as 0.0.0.0:9100"),
        ("egress = 'a b'", "egress is `a b`, expected letters, digits"),
        ("[spotify]\nclient_id = 'amqp://me:pw@h'", "spotify.client_id is `amqp://me:***@h`, expected letters, digits"),
        ("contact = 'https://me:pw@h'", "contact is `https://me:***@h` and is sent to services"),
        ("queue = 'http://me:pw@host'", "queue is `http://host`, expected one of: sqlite:FILE, amqp://HOST"),
        ("store = 'mongodb://'", "store is `mongodb://`, expected one of: sqlite:FILE, mongodb://HOST"),
        ("[lastfm]\nurl = 'www.last.fm'", "lastfm.url is `www.last.fm`, expected an http(s) address"),
        ("[spotify]\napi_url = 'ftp://x.org'", "spotify.api_url is `ftp://x.org`, expected an address that starts"),
    ] {
        let refused = Place::refusal(toml);
        let (place, what) = refused.split_once(": ").unwrap();
        assert!(place == format!("spotifai.toml:{}", toml.lines().count()) && what.starts_with(said), "{refused}");
    }
}

#[test]
fn a_variable_that_cannot_be_used_is_named() {
    let place = Place::with("");
    let refused = |variable, value| place.load(&Flags::default(), &[(variable, value)]).unwrap_err();
    assert_eq!(
        refused("SPOTIFAI_LASTFM_RATE", "often"),
        "environment variable SPOTIFAI_LASTFM_RATE is `often`, expected a number: pages a second"
    );
    let said = refused("SPOTIFAI_LASTFM_RATE", "-1");
    assert!(said.starts_with("environment variable SPOTIFAI_LASTFM_RATE: lastfm.rate is -1"), "{said}");
    assert!(place.load(&Flags::default(), &[("SPOTIFAI_TEST_X", "1"), ("SPOTIFAI_LOG", "debug")]).is_ok());
}

#[test]
fn passwords_are_in_no_message_and_no_print() {
    let place = Place::with("");
    let variables = [
        ("SPOTIFAI_QUEUE", "amqps://me:hush@broker/v"),
        ("SPOTIFAI_QUEUE_MANAGEMENT_URL", "https://me:hush@broker:15671"),
        ("SPOTIFAI_STORE", "mongodb://me:hush@db/?tlsCertificateKeyFilePassword=hush"),
        ("SPOTIFAI_SPOTIFY_CLIENT_SECRET", "hush"),
    ];
    let settings = place.load(&Flags::default(), &variables).unwrap();
    let (toml, debug) = (toml::to_string(&settings).unwrap(), format!("{settings:?}"));
    assert!(!toml.contains("hush") && !debug.contains("hush"), "{toml}\n{debug}");
    assert!(toml.contains("amqps://me:***@broker/v"), "{toml}");
    let refused = place.load(&Flags::default(), &[("SPOTIFAI_QUEUE", "me:hush@broker:5672")]).unwrap_err();
    assert!(refused.starts_with("environment variable SPOTIFAI_QUEUE: queue is `broker:5672`"), "{refused}");
}

#[test]
fn a_contact_may_be_mail_a_page_or_words_and_holds_no_password() {
    for contact in ["me@host", "mailto:me@host", "https://host/about", "Me: me@host", "https://host/ or me@host"] {
        let place = Place::with(&format!("contact = '{contact}'"));
        assert_eq!(place.load(&Flags::default(), &[]).unwrap().contact.as_deref(), Some(contact));
    }
    for contact in
        ["https://me:hush@host", "me:hush@host", "mailto:me:hush@host", "https://hush@host", "https://host/?key=hush"]
    {
        let refused = Place::refusal(&format!("contact = '{contact}'"));
        assert!(refused.contains("leave the password out") && !refused.contains("hush"), "{contact}: {refused}");
    }
}
