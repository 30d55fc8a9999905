// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "llm/translate_answer.h"

#include "llm/codec.h"

namespace fuseboard::llm {

std::expected<std::vector<Delta>, std::string> answer_deltas(Dialect dialect, std::string_view body) {
  return codec(dialect).read_answer(body);
}

std::string answer_body(Dialect dialect, std::span<const Delta> deltas, const StreamOrigin& origin) {
  return codec(dialect).write_answer(WholeAnswer(deltas, origin));
}

std::expected<std::string, std::string> translate_answer(Dialect from, Dialect to, std::string_view body,
                                                         const StreamOrigin& origin) {
  const auto deltas = answer_deltas(from, body);
  if (!deltas) return std::unexpected(deltas.error());
  return answer_body(to, *deltas, origin);
}

std::string answer_events(Dialect dialect, std::span<const Delta> deltas, const StreamOrigin& origin) {
  const auto writer = make_stream_writer(dialect, origin);
  std::string events;
  // What was used is known from the beginning.
  for (const Delta& delta : deltas) {
    if (delta.kind == Delta::Kind::usage) writer->write(delta, events);
  }
  for (const Delta& delta : deltas) writer->write(delta, events);
  writer->end(events);
  return events;
}

}  // namespace fuseboard::llm
