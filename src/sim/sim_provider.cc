// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "sim/sim_provider.h"

#include <utility>

#include "sim/playback.h"
#include "sim/provider_state.h"

namespace fuseboard::sim {

struct SimProvider::State : ProviderState {
  using ProviderState::ProviderState;
};

namespace {

// What the body's reader says, as a status; 0: nobody is there to be told.
int status_of(net::BodyError error) {
  switch (error) {
    case net::BodyError::too_large:
      return 413;
    case net::BodyError::timeout:
      return 408;
    case net::BodyError::malformed:
      return 400;
    case net::BodyError::no_memory:
      return 503;
    case net::BodyError::gone:
      return 0;
  }
  return 0;
}

Reply unreadable(int status) {
  PlannedFault planned;
  planned.error = kind_of_status(status);
  planned.status = status;
  planned.behaviour = "refused";
  return error_reply(planned, {});
}

void mark(Reply& reply, bool demo) {
  reply.headers.emplace_back("x-sim-behaviour", reply.behaviour);
  if (demo) reply.headers.emplace_back("x-fuseboard-demo", "1");
}

// The state is held by value: a handler may outlive the provider object.
net::Task<void> serve(std::shared_ptr<SimProvider::State> state, net::ServerExchange& exchange) {
  const SimOptions& options = state->options();
  const std::expected<net::Body, net::BodyError> body = co_await exchange.read_body();
  if (!body) {
    const int status = status_of(body.error());
    if (status == 0) co_return;
    Reply reply = unreadable(status);
    mark(reply, options.demo);
    co_await play(exchange, reply, options.max_silence);
    co_return;
  }
  const Received received = {exchange.head(), *body};
  if (received.path().starts_with("/sim/")) {
    const Reply reply = state->control(received);
    co_await play(exchange, reply, options.max_silence);
    co_return;
  }
  ProviderState::Decided decided = state->decide(received);
  mark(decided.reply, options.demo);
  const bool left = co_await play(exchange, decided.reply, options.max_silence);
  state->ended(decided.ticket, left);
}

}  // namespace

SimProvider::SimProvider(SimOptions options) : state_(std::make_shared<State>(checked(std::move(options)))) {}

SimProvider::~SimProvider() = default;

net::Handler SimProvider::handler() const {
  return [state = state_](net::ServerExchange& exchange) { return serve(state, exchange); };
}

std::expected<void, Problems> SimProvider::set_faults(std::string_view json) { return state_->set_faults(json); }

void SimProvider::reset() { state_->reset(); }

std::string SimProvider::log_json() const { return state_->log_json(); }

}  // namespace fuseboard::sim
