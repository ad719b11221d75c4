//! What a channel is about: TOPIC.

use crate::line::whole_characters;
use crate::message::Message;
use crate::numerics::{ERR_CHANOPRIVSNEEDED, RPL_NOTOPIC, RPL_TOPIC, RPL_TOPICWHOTIME};
use crate::state::{ChannelFlag, ChannelId, Topic};
use crate::turn::Turn;

pub(super) fn topic(turn: &mut Turn<'_>, message: &Message<'_>) {
    let name = message.params[0];
    match message.params.get(1) {
        Some(text) => change(turn, name, text),
        None => ask(turn, name),
    }
}

fn ask(turn: &mut Turn<'_>, name: &[u8]) {
    let Some(id) = super::channel(turn, name) else { return };
    let channel = &turn.state.channels[id];
    if channel.topic.is_some() {
        return tell(turn, id);
    }
    let name = channel.name.clone();
    turn.reply(RPL_NOTOPIC, &[&name]);
}

/// An empty text takes the topic away.
fn change(turn: &mut Turn<'_>, name: &[u8], text: &[u8]) {
    let Some(id) = super::joined_channel(turn, name) else { return };
    let channel = &turn.state.channels[id];
    let name = channel.name.clone();
    if channel.is(ChannelFlag::TopicLocked) && !channel.is_operator(turn.user) {
        return turn.reply(ERR_CHANOPRIVSNEEDED, &[&name]);
    }
    let text = whole_characters(text, turn.state.config.limits.topic);
    let topic = Topic { text: text.into(), by: turn.me().source(), at: turn.now };
    turn.state.channels[id].topic = Some(topic).filter(|topic| !topic.text.is_empty());
    let line = turn.my_line("TOPIC").param(&name).last(text);
    turn.tell_channel(id, line, |_, _| true);
}

/// Tells the topic, if there is one.
pub(super) fn tell(turn: &mut Turn<'_>, id: ChannelId) {
    let channel = &turn.state.channels[id];
    let Some(topic) = channel.topic.clone() else { return };
    let name = channel.name.clone();
    turn.reply(RPL_TOPIC, &[&name, &topic.text]);
    let line = turn.server_line(RPL_TOPICWHOTIME.code).param(turn.me().nick()).param(&name);
    turn.answer(line.param(topic.by).param(topic.at.unix().to_string()));
}
