// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The models that callers may name, each with its plan and its ways out.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "fuseboard/breaker/registry.h"
#include "fuseboard/core/clock.h"
#include "fuseboard/core/mutex.h"
#include "fuseboard/pipeline/plan.h"
#include "gateway/credential_scopes.h"
#include "gateway/redactor.h"
#include "gateway/usage_asking.h"
#include "llm/dialect.h"
#include "net/http.h"

namespace fuseboard::gateway {

// How one provider is reached.
struct Provider {
  std::string name;
  llm::Dialect dialect = llm::Dialect::openai;
  config::Auth auth = config::Auth::none;
  config::CapField cap_field = config::CapField::max_tokens;  // in translated requests, for the openai dialect
  net::Origin origin;
  std::string path_prefix;  // of every request's path
  std::string query;        // "" or "a=b&c=d", encoded: secret
  net::Headers headers;     // the credential, unless each caller brings one, and the configured extras: secret
  std::vector<std::string> forward_headers{};  // see config::ProviderConfig
  std::string ca_file;
  Redactor secrets{};  // knows the secrets above
};

// One target of a route: which provider, and what it calls the model.
struct Upstream {
  std::size_t provider = 0;  // index into ModelTable::providers()
  std::string model;
  config::RequestOptions request{};
  bool counts_tokens = false;  // a budget, a price or a limit goes by what calls use
  // All routes to a configured target share one.
  std::shared_ptr<UsageAsking> usage_asking = std::make_shared<UsageAsking>();
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
  // The clock must outlive it.
  ModelTable(const config::Config& config, BreakerRegistry& breakers, const Clock& clock = SteadyClock::instance());

  // By alias, or by "provider/model" where the provider exists and the name is not too long. nullptr otherwise.
  std::shared_ptr<const Route> find(std::string_view model);

  // In the order of the configuration.
  const std::vector<std::shared_ptr<const Route>>& routes() const noexcept { return routes_; }
  const std::vector<Provider>& providers() const noexcept { return providers_; }
  // Of providers()[provider]; null where callers bring their own.
  const CredentialGate* credential(std::size_t provider) const noexcept { return credentials_[provider].get(); }
  // All that rests of the providers' credentials [FBK-6]; of each provider the credential first.
  std::vector<ParkedCredential> parked(TimePoint now) const;
  // As if nothing of this provider's credential had been refused. False where there is no such credential of ours.
  bool unpark(std::string_view provider);
  const UserRules& classify_rules() const noexcept { return config_.classify_rules; }

  // Routes to "provider/model" that are remembered. At the bound one goes that no call uses and whose target limits
  // nobody at the moment: the one that was asked for longest ago of those that never answered, else of all. Where there
  // is none, the new one is built for its call alone, over a state that all such models of its provider share: so their
  // limits hold, together.
  static constexpr std::size_t kMaxDirectRoutes = 1000;
  std::size_t direct_routes() const;
  // Of a name that a caller writes, in bytes: it lives on as a breaker's key and in answers' headers.
  static constexpr std::size_t kMaxDirectName = 256;

 private:
  struct Direct {
    std::string name;
    std::shared_ptr<const Route> route;
    std::shared_ptr<TargetState> state;  // null: that of a configured target, which stays
  };
  using DirectList = std::list<Direct>;  // the one asked for longest ago first
  // What all routes to a configured target share.
  struct Shared {
    std::shared_ptr<TargetState> state;
    std::shared_ptr<UsageAsking> usage_asking;
  };

  std::shared_ptr<const Route> find_direct(std::string_view model);
  std::size_t index_of(std::string_view provider) const;
  Upstream make_upstream(const config::TargetConfig& target, std::shared_ptr<UsageAsking> asking) const;
  bool counts_tokens(const config::TargetConfig& target) const;
  Target make_target(const config::TargetConfig& target, std::shared_ptr<TargetState> state) const;
  std::shared_ptr<TargetState> make_state(const config::TargetConfig& target, KeyView key);
  // Whether there is a place for another direct route.
  bool make_room_locked() FUSEBOARD_REQUIRES(mutex_);
  void each_state_locked(auto use) const FUSEBOARD_REQUIRES(mutex_);

  const config::Config config_;
  const PriceTable prices_;
  std::vector<Provider> providers_;
  std::vector<std::shared_ptr<CredentialGate>> credentials_;  // of providers_; null where there is none of ours
  std::vector<std::shared_ptr<CallerThrottles>> callers_;  // of providers_; null unless each caller brings a credential
  BreakerRegistry& breakers_;
  const Clock& clock_;
  std::vector<std::shared_ptr<const Route>> routes_;
  std::map<std::string, std::shared_ptr<const Route>, std::less<>> by_name_;
  mutable Mutex mutex_;
  std::map<std::string, Shared, std::less<>> shared_ FUSEBOARD_GUARDED_BY(mutex_);  // by the targets' names
  DirectList direct_ FUSEBOARD_GUARDED_BY(mutex_);
  std::map<std::string_view, DirectList::iterator> direct_index_ FUSEBOARD_GUARDED_BY(mutex_);  // by their names
  std::vector<std::shared_ptr<TargetState>> crowded_ FUSEBOARD_GUARDED_BY(mutex_);  // by provider; null until needed
};

}  // namespace fuseboard::gateway
