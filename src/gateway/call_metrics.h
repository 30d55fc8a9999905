// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Counters of calls and attempts, read by /metrics and the admin API.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fuseboard/core/category.h"
#include "fuseboard/pipeline/plan.h"
#include "fuseboard/pipeline/record.h"
#include "fuseboard/telemetry/exposition.h"
#include "fuseboard/telemetry/histogram.h"
#include "gateway/model_table.h"

namespace fuseboard::gateway {

// Thread-safe. One set of series for each configured model and target, made at the start, so that labels stay bounded
// whatever callers write [TEL-3]; calls to "provider/model" that no configured model names count under "other".
class CallMetrics {
 public:
  explicit CallMetrics(const ModelTable& models);

  void count(const Route& route, const CallRecord& record) noexcept;
  // Events of streams that were left out because they were none [STR-7].
  void count_skipped(const Route& route, std::uint64_t events) noexcept;
  // An attempt was sent again over a fresh connection, as the kept one had died.
  void count_resent(std::string_view target) noexcept;

  void write(telemetry::Exposition& out) const;

  struct Totals {
    std::uint64_t calls = 0;
    std::uint64_t succeeded = 0;
    std::uint64_t attempts = 0;
  };
  Totals totals() const noexcept;

 private:
  static constexpr std::size_t kEndings = kEndingCount;
  using Cell = std::atomic<std::uint64_t>;

  // What attempts were charged [BUD-10].
  struct Spend {
    Cell tokens{0};
    Cell nano_dollars{0};
  };
  struct ModelSeries {
    explicit ModelSeries(std::vector<std::string> of)
        : targets(std::move(of)), spend(std::make_unique<Spend[]>(targets.size())) {}

    std::array<Cell, kEndings> endings{};
    Cell retries{0};
    Cell fallbacks{0};
    Cell company{0};
    Cell skipped{0};
    telemetry::Histogram duration;
    telemetry::Histogram first_content;
    const std::vector<std::string> targets;  // in the order of the plan; of "other": one of that name
    const std::unique_ptr<Spend[]> spend;    // of each of them
  };
  struct TargetSeries {
    Cell succeeded{0};
    std::array<Cell, kCategoryCount> failed{};
    Cell refused{0};
    Cell resent{0};
    Cell overtaken{0};
    telemetry::Histogram duration;
  };
  struct ProviderSeries {
    Cell understated{0};
  };
  template <typename Series>
  using ByName = std::map<std::string, std::unique_ptr<Series>, std::less<>>;

  // The maps do not change after construction, so reading them needs no lock.
  template <typename Series>
  static Series& find(const ByName<Series>& series, std::string_view name) noexcept;
  static void count_spend(const AttemptRecord& attempt, ModelSeries& model) noexcept;
  void write_spend(telemetry::Exposition& out) const;
  void count_attempts(const Route& route, const CallRecord& record, ModelSeries& model) noexcept;

  ByName<ModelSeries> models_;
  ByName<TargetSeries> targets_;
  std::vector<std::pair<std::string, std::unique_ptr<ProviderSeries>>> providers_;  // as the table has them
};

}  // namespace fuseboard::gateway
