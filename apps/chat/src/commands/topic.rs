//! What a channel is about: TOPIC.

use crate::numerics::{RPL_TOPIC, RPL_TOPICWHOTIME};
use crate::state::ChannelId;
use crate::turn::Turn;

/// Tells the topic, if there is one.
pub(super) fn tell(turn: &mut Turn<'_>, id: ChannelId) {
    let channel = &turn.state.channels[id];
    let Some(topic) = channel.topic.clone() else { return };
    let name = channel.name.clone();
    turn.reply(RPL_TOPIC, &[&name, &topic.text]);
    let line = turn.server_line(RPL_TOPICWHOTIME.code).param(turn.me().nick()).param(&name);
    turn.answer(line.param(topic.by).param(topic.at.unix().to_string()));
}
