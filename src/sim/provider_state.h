// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The provider without its sockets: a request in, a reply out.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "fuseboard/core/mutex.h"
#include "net/http.h"
#include "sim/chat_request.h"
#include "sim/mcp_server.h"
#include "sim/provider_answer.h"
#include "sim/rate_windows.h"
#include "sim/reply.h"
#include "sim/request_log.h"
#include "sim/response_memory.h"
#include "sim/script_player.h"
#include "sim/sim_options.h"

namespace fuseboard::sim {

struct Received {
  const net::RequestHead& head;
  std::string_view body;

  std::string_view path() const { return net::split_target(head.target).path; }
};

// Thread-safe. The lock is held to decide, never while an answer is made or sent.
class ProviderState {
 public:
  explicit ProviderState(SimOptions options);

  const SimOptions& options() const { return options_; }

  struct Decided {
    Reply reply;
    RequestLog::Ticket ticket;
  };
  // Everything but /sim/*: logs the arrival and what becomes of it.
  Decided decide(const Received& received);

  // The request's end, as RequestLog has it.
  void ended(const RequestLog::Ticket& ticket, bool client_left);

  // /sim/*
  Reply control(const Received& received);

  std::expected<void, Problems> set_faults(std::string_view json);
  void reset();
  std::string log_json() const;

 private:
  // A request as far as planned faults depend on it.
  struct Asked {
    std::string_view model;
    bool stream = false;
    std::optional<PlannedFault> refused;  // for itself, whatever the model's name says
    bool is_tool = false;                 // `model` names a tool: no behaviour goes with it
    std::size_t tokens = 0;               // of the prompt
  };
  struct Judged {
    PlannedFault planned;
    RequestLog::Ticket ticket;
  };
  Judged judge(const Received& received, const Asked& asked);
  PlannedFault planned_fault_locked(TimePoint now, const Received& received, const Asked& asked,
                                    const RequestLog::Ticket& ticket) FUSEBOARD_REQUIRES(mutex_);
  void take_quota_locked(TimePoint now, const Asked& asked, PlannedFault& planned) FUSEBOARD_REQUIRES(mutex_);
  void restart_script_locked() FUSEBOARD_REQUIRES(mutex_);

  // Judges a request that was read or not, and makes its answer with make(request, planned, context).
  template <typename Request, typename Make>
  Decided answer(Dialect dialect, const Received& received, const std::expected<Request, BadRequest>& request,
                 bool stream, Make make);
  // The same where the answer does not depend on the planned fault.
  Decided answer_anyhow(const Received& received, const Asked& asked, Reply reply);

  Decided answer_chat(Dialect dialect, const Received& received);
  Decided answer_response(const Received& received);
  // Puts the conversation of `previous_response_id` before the prompt; refuses an unknown one.
  std::expected<ChatRequest, BadRequest> with_previous(ChatRequest request) const;
  void remember(const ChatRequest& request, const AnswerContext& context);
  Decided answer_embeddings(const Received& received);
  Decided answer_token_count(const Received& received);
  Decided answer_mcp(const Received& received);
  Decided answer_get_mcp(const Received& received);
  Decided answer_models(const Received& received);

  AnswerContext context_of(const RequestLog::Ticket& ticket) const;
  Decided close(Dialect dialect, const Judged& judged, Reply reply);
  bool key_fits(const net::Headers& headers) const;

  const SimOptions options_;
  mutable Mutex mutex_;
  RequestLog log_ FUSEBOARD_GUARDED_BY(mutex_);
  RateWindows rates_ FUSEBOARD_GUARDED_BY(mutex_);
  ResponseMemory responses_ FUSEBOARD_GUARDED_BY(mutex_);
  McpSessions sessions_ FUSEBOARD_GUARDED_BY(mutex_);
  std::optional<FaultScript> script_ FUSEBOARD_GUARDED_BY(mutex_);
  std::optional<ScriptPlayer> player_ FUSEBOARD_GUARDED_BY(mutex_);
};

}  // namespace fuseboard::sim
