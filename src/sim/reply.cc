// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "sim/reply.h"

#include <algorithm>

#include "sim/rate_headers.h"

namespace fuseboard::sim {
namespace {

constexpr const char* kJson = "application/json";
constexpr const char* kEventStream = "text/event-stream; charset=utf-8";

Reply reply_of(const Fate& fate) {
  Reply reply;
  reply.wait = fate.wait;
  reply.behaviour = fate.behaviour;
  return reply;
}

// A stream shows that its model thinks: pings, a hundred at most.
constexpr Duration kPingGap = std::chrono::milliseconds(100);
constexpr int kMostPings = 100;

void add_step(Reply& reply, Duration wait, std::string bytes, bool split) {
  if (bytes.empty()) return;
  if (!split || bytes.size() < 2) {
    reply.steps.push_back({wait, std::move(bytes)});
    return;
  }
  const std::size_t half = bytes.size() / 2;
  reply.steps.push_back({wait, bytes.substr(0, half)});
  // A pause, however short, or the system would join the two halves again.
  reply.steps.push_back({std::chrono::milliseconds(2), bytes.substr(half)});
}

void add_pings(Reply& reply, Duration lasts, const std::string& ping) {
  const Duration gap = std::max(kPingGap, lasts / kMostPings);
  for (Duration left = lasts; left > Duration::zero(); left -= std::min(left, gap)) {
    reply.steps.push_back({std::min(left, gap), ping});
  }
}

// What an answer is called in its head.
void label(const Fate& fate, std::string_view right, Reply& reply) {
  if (fate.label == Fate::Label::kNone) return;
  if (fate.label == Fate::Label::kJson) right = kJson;
  if (fate.label == Fate::Label::kEvents) right = kEventStream;
  reply.headers.insert(reply.headers.begin(), {"content-type", std::string(right)});
}

bool stops_early(Fate::Ending ending) {
  return ending == Fate::Ending::kEof || ending == Fate::Ending::kCut || ending == Fate::Ending::kStall ||
         ending == Fate::Ending::kError;
}

Reply::Ending reply_ending(Fate::Ending ending) {
  if (ending == Fate::Ending::kCut) return Reply::Ending::kCut;
  if (ending == Fate::Ending::kStall) return Reply::Ending::kStall;
  return Reply::Ending::kComplete;
}

void add_retry_after(Duration wait, Reply& reply) {
  const std::int64_t milliseconds = ceil_milliseconds(wait);
  reply.headers.emplace_back("retry-after", std::to_string((milliseconds + 999) / 1000));
  reply.headers.emplace_back("retry-after-ms", std::to_string(milliseconds));
}

}  // namespace

std::string Reply::body() const {
  std::string text;
  for (const Step& step : steps) text += step.bytes;
  return text;
}

Reply stream_reply(const Fate& fate, StreamEvents events, Duration usual_gap) {
  Reply reply = reply_of(fate);
  reply.streamed = true;
  reply.headers = {{"cache-control", "no-cache"}};
  label(fate, kEventStream, reply);
  const bool split = fate.split_events;
  const Duration gap = fate.token_gap.value_or(usual_gap);
  const std::size_t fails_at = std::min(fate.after_tokens, events.tokens.size());

  add_step(reply, {}, std::move(events.start), split);
  add_pings(reply, fate.hidden_thinking, events.ping);
  // The wait for the first content stands on its own: the gap comes between tokens.
  Duration next_wait = fate.token_gap ? saturating_add(fate.first_token_wait, gap) : fate.first_token_wait;
  for (std::size_t i = 0; i <= events.tokens.size(); ++i) {
    if (i == fails_at) {
      if (fate.ending == Fate::Ending::kMalformed) add_step(reply, {}, std::move(events.malformed), split);
      if (fate.ending == Fate::Ending::kError) add_step(reply, {}, std::move(events.error), split);
      if (stops_early(fate.ending)) {
        reply.ending = reply_ending(fate.ending);
        return reply;
      }
    }
    if (i == events.tokens.size()) break;
    add_step(reply, next_wait, std::move(events.tokens[i]), split);
    next_wait = gap;
  }
  add_step(reply, {}, std::move(events.finish), split);
  if (fate.ending != Fate::Ending::kNoDone) add_step(reply, {}, std::move(events.done), split);
  return reply;
}

Reply plain_reply(const Fate& fate, std::string body, std::size_t tokens) {
  Reply reply = reply_of(fate);
  label(fate, kJson, reply);
  reply.wait = saturating_add(reply.wait, saturating_add(fate.first_token_wait, fate.hidden_thinking));
  if (fate.token_gap) {
    reply.wait = saturating_add(reply.wait, saturating_scale(*fate.token_gap, static_cast<double>(tokens)));
  }
  const bool whole = fate.ending == Fate::Ending::kComplete || fate.ending == Fate::Ending::kNoDone;
  if (!whole) body.resize(body.size() / 2);
  reply.ending = reply_ending(fate.ending);
  reply.steps.push_back({{}, std::move(body)});
  return reply;
}

ErrorDetail RefusalContext::detail(const Fate& fate) const {
  const bool limited = fate.quota && fate.quota->exceeded != Quota::Exceeded::kNothing;
  const bool own_words = limited && fate.error == ErrorKind::kRateLimit;
  return {own_words ? rate_message(dialect, *fate.quota, model) : fate.message, fate.param, model, request_id};
}

Reply error_reply(const Fate& fate, const RefusalContext& context) {
  Reply reply = reply_of(fate);
  reply.status = fate.status != 0 ? fate.status : usual_status(fate.error);
  reply.headers = {{"content-type", kJson}};
  if (fate.retry_after) add_retry_after(*fate.retry_after, reply);
  reply.steps.push_back({{}, error_body(context.dialect, fate.error, context.detail(fate))});
  return reply;
}

Reply refusal_reply(const Fate& fate, const RefusalContext& context) {
  Reply reply = reply_of(fate);
  switch (fate.opening) {
    case Fate::Opening::kAnswer:
    case Fate::Opening::kError:
      return error_reply(fate, context);
    case Fate::Opening::kErrorIn200:
      reply = error_reply(fate, context);
      reply.status = 200;
      return reply;
    case Fate::Opening::kHtml:
      reply.status = fate.status;
      reply.headers = {{"content-type", "text/html"}};
      reply.steps.push_back({{},
                             "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad "
                             "Gateway</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"});
      return reply;
    case Fate::Opening::kEmpty:
      return reply;
    case Fate::Opening::kReset:
      reply.opening = Reply::Opening::kReset;
      return reply;
    case Fate::Opening::kSilence:
      reply.opening = Reply::Opening::kSilence;
      return reply;
  }
  return reply;
}

Reply impose(const Fate& fate, Reply reply) {
  reply.wait = saturating_add(reply.wait, fate.wait);
  if (fate.behaviour != Fate().behaviour) reply.behaviour = fate.behaviour;
  reply.ending = reply_ending(fate.ending);
  if (reply.ending == Reply::Ending::kComplete || reply.steps.empty()) return reply;
  if (reply.streamed) {
    reply.steps.pop_back();
  } else {
    reply.steps.back().bytes.resize(reply.steps.back().bytes.size() / 2);
  }
  return reply;
}

}  // namespace fuseboard::sim
