// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Any bytes as a stream of each endpoint, and as a whole answer of each dialect. Whatever is read, what is written of
// it in either dialect is events of valid JSON, which the reader of that dialect takes as a complete answer.

#include <cstdint>
#include <string>
#include <string_view>

#include "fuseboard/core/check.h"
#include "json/scan.h"
#include "llm/stream_reader.h"
#include "llm/stream_writer.h"
#include "llm/translate_answer.h"
#include "net/sse.h"

namespace {

using namespace fuseboard;
using net::SseEvent;
using net::SseParser;

const llm::StreamOrigin kOrigin{.id = "made-up", .model = "m", .created = 1, .include_usage = true};

template <typename Take>
void for_each_event(std::string_view stream, Take take) {
  SseParser parser;
  parser.feed(stream);
  parser.finish();
  SseEvent event;
  while (parser.next(event) == SseParser::Next::event) {
    if (event.has_data) take(event);
  }
}

void check_written(llm::Dialect dialect, std::string_view stream, bool resumed) {
  const auto reader = llm::make_stream_reader(llm::chat_endpoint(dialect), {.deltas = true, .text = true});
  std::size_t size = 0;
  for_each_event(stream, [&](const SseEvent& event) {
    size += event.raw.size();
    check_invariant(event.data == "[DONE]" || !json::validate(event.data), "an event is valid JSON");
    const llm::StreamPiece piece = reader->read(event.event, event.data);
    check_invariant(piece != llm::StreamPiece::malformed && piece != llm::StreamPiece::error, "an event is understood");
  });
  check_invariant(size == stream.size(), "all that is written is events");
  check_invariant(reader->terminal_seen(), "a stream that was ended says so");
  check_invariant(resumed || !reader->at_end(), "a stream that was ended is complete");
}

void translate_stream(llm::Endpoint endpoint, llm::Dialect to, std::string_view stream) {
  const auto reader = llm::make_stream_reader(endpoint, {.deltas = true, .text = true});
  const auto plain = llm::make_stream_reader(endpoint);
  const auto writer = llm::make_stream_writer(to, kOrigin);
  std::string written;
  bool fits = true;
  for_each_event(stream, [&](const SseEvent& event) {
    const llm::StreamPiece piece = reader->read(event.event, event.data);
    check_invariant(plain->read(event.event, event.data) == piece || piece == llm::StreamPiece::malformed,
                    "what an event is does not depend on what is collected");
    for (const llm::Delta& delta : reader->deltas()) fits = fits && writer->write(delta, written);
  });
  if (fits) {
    writer->end(written);
    check_written(to, written, false);
  }
  std::string rest;
  const auto resumed = llm::make_recovery_writer(to, reader->recovery_point());
  resumed->write({.kind = llm::Delta::Kind::text, .text = std::string(reader->text())}, rest);
  resumed->end(rest);
  check_written(to, rest, true);
}

void translate_whole(llm::Dialect from, llm::Dialect to, std::string_view body) {
  const auto deltas = llm::answer_deltas(from, body);
  if (!deltas) return;
  check_invariant(!json::validate(llm::answer_body(to, *deltas, kOrigin)), "a translated answer is valid JSON");
  check_written(to, llm::answer_events(to, *deltas, kOrigin), false);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const llm::Dialect to : {llm::Dialect::openai, llm::Dialect::anthropic}) {
    for (const llm::Endpoint endpoint :
         {llm::Endpoint::chat_completions, llm::Endpoint::messages, llm::Endpoint::responses, llm::Endpoint::other}) {
      translate_stream(endpoint, to, text);
    }
    for (const llm::Dialect from : {llm::Dialect::openai, llm::Dialect::anthropic}) translate_whole(from, to, text);
  }
  return 0;
}
