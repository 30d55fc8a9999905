// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The models that callers may name, each with its plan and its ways out.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "fuseboard/breaker/registry.h"
#include "fuseboard/core/mutex.h"
#include "fuseboard/pipeline/plan.h"
#include "llm/dialect.h"
#include "net/http.h"

namespace fuseboard::gateway {

// How one provider is reached.
struct Provider {
  std::string name;
  llm::Dialect dialect = llm::Dialect::openai;
  config::Auth auth = config::Auth::none;
  net::Origin origin;
  std::string path_prefix;  // of every request's path
  std::string query;        // "" or "a=b&c=d", encoded: secret
  net::Headers headers;     // the credential, unless each caller brings one, and the configured extras: secret
  std::string ca_file;
};

// One target of a route: which provider, and what it calls the model.
struct Upstream {
  std::size_t provider = 0;  // index into ModelTable::providers()
  std::string model;
  bool prefill = false;                                  // it goes on with an answer that was begun
  std::uint32_t max_tokens = config::kDefaultMaxTokens;  // of an answer, for callers that set no cap
};

// What a model name leads to. Immutable.
struct Route {
  std::string name;  // what callers write
  std::shared_ptr<const Plan> plan;
  std::vector<Upstream> upstreams;  // one for each of the plan's targets
  bool configured = true;           // false: "provider/model", written by a caller
  config::StreamRecoveryMode stream_recovery = config::StreamRecoveryMode::continue_answer;
  config::MalformedEvents malformed_events = config::MalformedEvents::fail;
  config::UnsupportedFields unsupported_fields = config::UnsupportedFields::reject;
};

// Built once from a configuration. Thread-safe.
class ModelTable {
 public:
  ModelTable(const config::Config& config, BreakerRegistry& breakers);

  // By alias, or by "provider/model" where the provider exists and the name is not too long. nullptr otherwise.
  std::shared_ptr<const Route> find(std::string_view model);

  // In the order of the configuration.
  const std::vector<std::shared_ptr<const Route>>& routes() const noexcept { return routes_; }
  const std::vector<Provider>& providers() const noexcept { return providers_; }
  const UserRules& classify_rules() const noexcept { return config_.classify_rules; }

  // Routes to "provider/model" that are remembered; a further one is built for its call alone.
  static constexpr std::size_t kMaxDirectRoutes = 1000;
  // Of a name that a caller writes, in bytes: it lives on as a breaker's key, in /metrics and in answers' headers.
  static constexpr std::size_t kMaxDirectName = 256;

 private:
  std::shared_ptr<const Route> find_direct(std::string_view model);
  // One state for each target, whatever routes lead to it; one that is not remembered goes with its route.
  Target make_target(const config::TargetConfig& target, bool remember);
  bool knows_few_routes();

  const config::Config config_;
  const PriceTable prices_;
  std::vector<Provider> providers_;
  std::vector<std::shared_ptr<CredentialGate>> credentials_;  // of providers_; null where there is none of ours
  BreakerRegistry& breakers_;
  std::vector<std::shared_ptr<const Route>> routes_;
  std::map<std::string, std::shared_ptr<const Route>, std::less<>> by_name_;
  Mutex mutex_;
  std::map<std::string, std::shared_ptr<TargetState>, std::less<>> states_ FUSEBOARD_GUARDED_BY(mutex_);
  std::map<std::string, std::shared_ptr<const Route>, std::less<>> direct_ FUSEBOARD_GUARDED_BY(mutex_);
};

}  // namespace fuseboard::gateway
