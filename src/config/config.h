// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What fuseboard.yaml says, checked and typed. docs/configuration.md is the same for people.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/secret.h"
#include "fuseboard/breaker/options.h"
#include "fuseboard/budget/options.h"
#include "fuseboard/budget/price.h"
#include "fuseboard/cache/memory_store.h"
#include "fuseboard/classify/user_rules.h"
#include "fuseboard/core/time.h"
#include "fuseboard/pipeline/plan.h"
#include "fuseboard/pipeline/target.h"

namespace fuseboard::config {

// An address to accept callers on.
struct ListenAddress {
  std::string host = "127.0.0.1";  // IPv4, IPv6 without brackets, or "localhost": 127.0.0.1 and ::1
  std::uint16_t port = 8787;       // 0: the system chooses one

  bool is_loopback() const noexcept;
  std::string to_text() const;  // "127.0.0.1:8787", "[::1]:8787"
  friend bool operator==(const ListenAddress&, const ListenAddress&) = default;
};

// Reads "127.0.0.1:8787", "[::1]:8787" or "localhost:8787". The error says what is allowed.
std::expected<ListenAddress, std::string> parse_listen_address(std::string_view text);

// Where a provider answers: http or https, a host, a port and the path that precedes every request's own.
struct BaseUrl {
  bool tls = true;
  std::string host;  // a name or an address; IPv6 without brackets
  std::uint16_t port = 443;
  std::string path;  // "" or "/v1": begins with '/', does not end with one; an anthropic provider's not with "/v1"

  std::string to_text() const;  // without a default port
  friend bool operator==(const BaseUrl&, const BaseUrl&) = default;
};

enum class Dialect : std::uint8_t { openai, anthropic };
std::string_view name(Dialect dialect) noexcept;

// How a provider's credential is presented.
enum class Auth : std::uint8_t {
  none,         // not at all
  bearer,       // authorization: Bearer KEY
  x_api_key,    // x-api-key: KEY
  api_key,      // api-key: KEY
  passthrough,  // each caller's own goes to the provider
};
std::string_view name(Auth auth) noexcept;

// What becomes of a stream that breaks after its first content (rule STR-5).
enum class StreamRecoveryMode : std::uint8_t {
  continue_answer,  // "continue": a target that takes a begun answer goes on with it; else as restart
  restart,          // a fresh answer goes on where the delivered text ends, if it begins with that text; else as fail
  fail,             // the stream ends with an error
};
std::string_view name(StreamRecoveryMode mode) noexcept;

// What becomes of an event of a stream that is not what the dialect says (rule STR-7). It is never passed on.
enum class MalformedEvents : std::uint8_t {
  fail,  // its attempt fails
  skip,  // it is counted and left out
};
std::string_view name(MalformedEvents events) noexcept;

// What becomes of a field of a request that a target of another dialect has no words for.
enum class UnsupportedFields : std::uint8_t {
  reject,  // it rules the target out; where no target is left the caller is told which field it was
  drop,    // it is left out
};
std::string_view name(UnsupportedFields fields) noexcept;

// How OpenAI's `reasoning_effort` is said to an anthropic target, whose models know the one or the other by their
// generation. An openai target is told an effort for either.
enum class Reasoning : std::uint8_t {
  budget,     // as a budget of tokens for thinking
  effort,     // as an effort
  leave_out,  // not at all, in either dialect
};
std::string_view name(Reasoning reasoning) noexcept;

// The field for the cap on output in requests that are translated for an openai provider.
enum class CapField : std::uint8_t { max_completion_tokens, max_tokens };

// A header or query parameter that goes with every request to a provider. Values may be credentials.
struct ExtraField {
  std::string name;  // headers: as written, unique without regard to case
  Secret value;      // query parameters: not percent-encoded yet
};

struct ProviderConfig {
  std::string name;  // [A-Za-z0-9_.-]+
  Dialect dialect = Dialect::openai;
  BaseUrl base_url;
  Secret api_key;                             // empty exactly where auth is none or passthrough
  Auth auth = Auth::none;                     // resolved: the dialect's own way unless the file chose one
  CapField cap_field = CapField::max_tokens;  // resolved: what the host knows unless the file chose one
  std::vector<ExtraField> headers;
  std::vector<ExtraField> query;
  // Of callers' headers, what goes to the provider besides what its dialect defines: names in lower case, '*' for any
  // characters. Credentials are no part of it.
  std::vector<std::string> forward_headers{};
  std::string ca_file;  // PEM file that replaces the system's roots; empty: the system's. Relative paths: to the
                        // configuration file's folder
  // For targets of this provider that no model names: calls to "provider/model".
  BreakerOptions breaker;
  AttemptTimeouts timeouts;
  TargetStateOptions state{};  // limits
};

inline constexpr std::uint32_t kDefaultMaxTokens = 4096;

// How requests to a target are written. One struct from the file to the request: a new option is a member here, a row
// in config/model_keys.cc, and its use.
struct RequestOptions {
  bool prefill = false;  // the target goes on with an answer that was begun
  // The cap on an answer's tokens that a messages target is sent for a caller who set none, as that dialect requires
  // one. 1 to 1 000 000.
  std::uint32_t max_tokens = kDefaultMaxTokens;
  Reasoning reasoning = Reasoning::budget;
};

struct TargetConfig {
  std::string provider;  // name of an entry of Config::providers
  std::string model;     // the provider's own name for it; may contain '/'
  // The nearest of target, model and provider wins, value by value. Equal wherever the same target occurs.
  BreakerOptions breaker;
  AttemptTimeouts timeouts;
  TargetStateOptions state{};                     // limits, and the model's retry budget; equal likewise
  std::optional<std::uint64_t> context_window{};  // tokens; equal likewise
  RequestOptions request{};                       // equal likewise
  double weight = 1.0;                            // within its model
};

// Which answers of a model are kept, and for how long.
struct CacheConfig {
  Duration ttl = std::chrono::minutes(10);  // 1 s to 720 h
  MemoryCacheOptions store{};
  bool nondeterministic = false;  // also answers that a second call might give differently

  Problems validate() const;
};

struct ModelConfig {
  std::string alias;                  // what callers write; contains no '/', so it never looks like "provider/model"
  std::vector<TargetConfig> targets;  // in the order they are tried; at least one, no two alike
  PlanOptions plan;
  std::optional<CacheConfig> cache{};
  // The defaults hold for calls to "provider/model" too.
  StreamRecoveryMode stream_recovery = StreamRecoveryMode::continue_answer;
  MalformedEvents malformed_events = MalformedEvents::fail;
  UnsupportedFields unsupported_fields = UnsupportedFields::reject;
};

struct Config {
  ListenAddress listen;
  bool allow_anonymous = false;                        // callers outside loopback are let in without a key
  std::vector<std::string> allowed_hosts{};            // names in Host besides loopback's, in lower case, without ports
  Secret admin_token{};                                // of the admin API; empty: it answers on loopback alone
  std::size_t max_body = std::size_t{32} << 20;        // bytes of a request's body
  std::size_t max_body_memory = std::size_t{1} << 30;  // bytes of all bodies in flight; at least max_body
  Duration drain_timeout = std::chrono::seconds(30);
  std::vector<ProviderConfig> providers;  // in the order of the file, as models
  std::vector<ModelConfig> models;
  BudgetOptions budgets{};  // the global level and that of each session
  std::vector<PriceTable::Entry> prices{};
  OnMissingPrice on_missing_price = OnMissingPrice::count_tokens_only;
  UserRules classify_rules;  // win over the classifier's own

  // By exact name; nullptr where there is none.
  const ProviderConfig* find_provider(std::string_view name) const noexcept;
  const ModelConfig* find_model(std::string_view alias) const noexcept;

  // What holds for "provider/model" whoever names it: a model's target where there is one, else what the provider says.
  // nullopt where there is no such provider.
  std::optional<TargetConfig> target(std::string_view provider, std::string_view model) const;
};

}  // namespace fuseboard::config
