// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Writes an answer's deltas as the server-sent events of a dialect.
#pragma once

#include <memory>
#include <string>

#include "llm/delta.h"
#include "llm/dialect.h"
#include "llm/stream_origin.h"

namespace fuseboard::llm {

// One object for one stream, used by one thread at a time (any thread). What it appends is whole events, each valid
// JSON. Memory: OpenAI's writer keeps a few bytes for each call, Anthropic's up to kMaxHeldBack of calls that came
// interleaved.
class StreamWriter {
 public:
  // How many bytes may wait for a block of their own. Anthropic's blocks come one after another; while the arguments of
  // a call are not complete, what other blocks get has to wait.
  static constexpr std::size_t kMaxHeldBack = std::size_t{1} << 20;

  StreamWriter(const StreamWriter&) = delete;
  StreamWriter& operator=(const StreamWriter&) = delete;
  virtual ~StreamWriter() = default;

  // Appends the events of a delta, if it has any. A `begin` behind the first content is of no effect: another target
  // may go on with the answer. False: the answer is beyond what this can hold back (or has more than 128 calls), and
  // the stream must end with an error.
  virtual bool write(const Delta& delta, std::string& out) = 0;

  // Appends the formal end of a complete answer: what is held back, the finish if none came, the usage event if it was
  // asked for, [DONE] or message_stop. Later calls append nothing.
  virtual void end(std::string& out) = 0;

  // Where the stream stands, for its recovery by another writer.
  virtual RecoveryPoint recovery_point() const = 0;

 protected:
  StreamWriter() = default;
};

std::unique_ptr<StreamWriter> make_stream_writer(Dialect dialect, StreamOrigin origin);

// For the recovery of a stream that another began and did not finish: text goes on in the open block.
std::unique_ptr<StreamWriter> make_recovery_writer(Dialect dialect, RecoveryPoint point);

}  // namespace fuseboard::llm
