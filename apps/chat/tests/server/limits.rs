//! How many clients there may be, and for how long.

use reactor::Backend;

use crate::process::{Server, Settings, chat_with_few_descriptors, eventually};

/// The server is at its limit of descriptors: whom it serves, it goes on to serve; and when some leave,
/// others take their places.
#[test]
fn a_full_table_of_descriptors_hurts_new_clients_alone() {
    for backend in Backend::COMPILED {
        let server = Server::start(&mut chat_with_few_descriptors(24, backend));
        let mut clients = Vec::new();
        while let Ok(client) = server.try_client(&format!("n{}", clients.len())) {
            clients.push(client);
        }
        assert!(clients.len() >= 4, "{backend}: {} clients", clients.len());
        server.says("files");
        let told = |client: &mut crate::process::Client, line: &str| {
            client.say(line);
            client.hears("PRIVMSG");
        };
        for (at, client) in clients.iter_mut().enumerate() {
            told(client, &format!("PRIVMSG n{at} :still here"));
        }
        clients.truncate(2);
        let mut late = eventually(|| server.try_client("late"));
        told(&mut late, "PRIVMSG late :here, too");
        told(&mut clients[0], "PRIVMSG n0 :still here");
    }
}

/// It takes two seconds, for that is the least that the settings can say.
#[test]
fn who_does_not_register_or_answer_in_time_is_dropped() {
    let text = "[limits]\nregistration-seconds = 1\nping-seconds = 1\ndrop-seconds = 2\n";
    let settings = Settings::new("silence", text);
    let server = settings.server();
    let (mut there, mut silent) = (server.client("there"), server.client("silent"));
    let mut stranger = server.stranger();
    assert!(stranger.rest().ends_with("(Registration timed out)\r\n"));
    silent.hears("PING ");
    there.hears("PING ");
    there.say("PONG x");
    assert!(silent.rest().contains("(Ping timeout: "));
    there.sync();
}
