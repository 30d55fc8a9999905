// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "sim/reply.h"

#include <algorithm>

#include "sim/quota_headers.h"

namespace fuseboard::sim {
namespace {

constexpr const char* kJson = "application/json";
constexpr const char* kEventStream = "text/event-stream; charset=utf-8";

Reply reply_of(const PlannedFault& planned) {
  Reply reply;
  reply.wait = planned.wait;
  reply.behaviour = planned.behaviour;
  return reply;
}

// A stream shows that its model thinks: pings, a hundred at most.
constexpr Duration kPingGap = std::chrono::milliseconds(100);
constexpr int kMaxPings = 100;

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
  const Duration gap = std::max(kPingGap, lasts / kMaxPings);
  for (Duration left = lasts; left > Duration::zero(); left -= std::min(left, gap)) {
    reply.steps.push_back({std::min(left, gap), ping});
  }
}

// What an answer is called in its head.
void label(const PlannedFault& planned, std::string_view right, Reply& reply) {
  if (planned.label == PlannedFault::Label::kNone) return;
  if (planned.label == PlannedFault::Label::kJson) right = kJson;
  if (planned.label == PlannedFault::Label::kEvents) right = kEventStream;
  reply.headers.insert(reply.headers.begin(), {"content-type", std::string(right)});
}

bool stops_early(PlannedFault::Ending ending) {
  return ending == PlannedFault::Ending::kEof || ending == PlannedFault::Ending::kCut ||
         ending == PlannedFault::Ending::kStall || ending == PlannedFault::Ending::kError;
}

Reply::Ending reply_ending(PlannedFault::Ending ending) {
  if (ending == PlannedFault::Ending::kCut) return Reply::Ending::kCut;
  if (ending == PlannedFault::Ending::kStall) return Reply::Ending::kStall;
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

Reply stream_reply(const PlannedFault& planned, StreamEvents events, Duration usual_gap) {
  Reply reply = reply_of(planned);
  reply.streamed = true;
  reply.headers = {{"cache-control", "no-cache"}};
  label(planned, kEventStream, reply);
  const bool split = planned.split_events;
  const Duration gap = planned.token_gap.value_or(usual_gap);
  const std::size_t fails_at = std::min(planned.after_tokens, events.tokens.size());

  add_step(reply, {}, std::move(events.start), split);
  add_pings(reply, planned.hidden_thinking, events.ping);
  // The wait for the first content stands on its own: the gap comes between tokens.
  Duration next_wait = planned.token_gap ? saturating_add(planned.first_token_wait, gap) : planned.first_token_wait;
  for (std::size_t i = 0; i <= events.tokens.size(); ++i) {
    if (i == fails_at) {
      if (planned.ending == PlannedFault::Ending::kMalformed) add_step(reply, {}, std::move(events.malformed), split);
      if (planned.ending == PlannedFault::Ending::kError) add_step(reply, {}, std::move(events.error), split);
      if (stops_early(planned.ending)) {
        reply.ending = reply_ending(planned.ending);
        return reply;
      }
    }
    if (i == events.tokens.size()) break;
    add_step(reply, next_wait, std::move(events.tokens[i]), split);
    next_wait = gap;
  }
  add_step(reply, {}, std::move(events.finish), split);
  if (planned.ending != PlannedFault::Ending::kNoDone) add_step(reply, {}, std::move(events.done), split);
  return reply;
}

Reply plain_reply(const PlannedFault& planned, std::string body, std::size_t tokens) {
  Reply reply = reply_of(planned);
  label(planned, kJson, reply);
  reply.wait = saturating_add(reply.wait, saturating_add(planned.first_token_wait, planned.hidden_thinking));
  if (planned.token_gap) {
    reply.wait = saturating_add(reply.wait, saturating_scale(*planned.token_gap, static_cast<double>(tokens)));
  }
  const bool whole =
      planned.ending == PlannedFault::Ending::kComplete || planned.ending == PlannedFault::Ending::kNoDone;
  if (!whole) body.resize(body.size() / 2);
  reply.ending = reply_ending(planned.ending);
  reply.steps.push_back({{}, std::move(body)});
  return reply;
}

ErrorDetail RefusalContext::detail(const PlannedFault& planned) const {
  const bool limited = planned.quota && planned.quota->exceeded != Quota::Exceeded::kNothing;
  const bool own_words = limited && planned.error == ErrorKind::kRateLimit;
  return {own_words ? rate_message(dialect, *planned.quota, model) : planned.message, planned.param, model, request_id};
}

Reply error_reply(const PlannedFault& planned, const RefusalContext& context) {
  Reply reply = reply_of(planned);
  reply.status = planned.status != 0 ? planned.status : usual_status(planned.error);
  reply.headers = {{"content-type", kJson}};
  if (planned.retry_after) add_retry_after(*planned.retry_after, reply);
  reply.steps.push_back({{}, error_body(context.dialect, planned.error, context.detail(planned))});
  return reply;
}

Reply refusal_reply(const PlannedFault& planned, const RefusalContext& context) {
  Reply reply = reply_of(planned);
  switch (planned.opening) {
    case PlannedFault::Opening::kAnswer:
    case PlannedFault::Opening::kError:
      return error_reply(planned, context);
    case PlannedFault::Opening::kErrorIn200:
      reply = error_reply(planned, context);
      reply.status = 200;
      return reply;
    case PlannedFault::Opening::kHtml:
      reply.status = planned.status;
      reply.headers = {{"content-type", "text/html"}};
      reply.steps.push_back({{},
                             "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad "
                             "Gateway</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"});
      return reply;
    case PlannedFault::Opening::kEmpty:
      return reply;
    case PlannedFault::Opening::kReset:
      reply.opening = Reply::Opening::kReset;
      return reply;
    case PlannedFault::Opening::kSilence:
      reply.opening = Reply::Opening::kSilence;
      return reply;
  }
  return reply;
}

Reply impose(const PlannedFault& planned, Reply reply) {
  reply.wait = saturating_add(reply.wait, planned.wait);
  if (planned.behaviour != PlannedFault().behaviour) reply.behaviour = planned.behaviour;
  reply.ending = reply_ending(planned.ending);
  if (reply.ending == Reply::Ending::kComplete || reply.steps.empty()) return reply;
  if (reply.streamed) {
    reply.steps.pop_back();
  } else {
    reply.steps.back().bytes.resize(reply.steps.back().bytes.size() / 2);
  }
  return reply;
}

}  // namespace fuseboard::sim
