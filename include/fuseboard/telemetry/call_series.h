// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Calls and attempts by plan, target and provider, as Prometheus series.
//
//   CallSeries series;
//   series.add({.plans = {plan}});
//   pipeline.add_observer(series);
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "fuseboard/core/append_only_map.h"
#include "fuseboard/core/category.h"
#include "fuseboard/pipeline/call_observers.h"
#include "fuseboard/pipeline/plan.h"
#include "fuseboard/pipeline/record.h"
#include "fuseboard/telemetry/exposition.h"
#include "fuseboard/telemetry/histogram.h"

namespace fuseboard::telemetry {

// Thread-safe. One set of series for each plan and target that was added, so that labels stay bounded whatever callers
// write [TEL-3]; calls under other plans count under "other".
class CallSeries final : public CallObserver {
 public:
  struct Names {
    std::vector<std::shared_ptr<const Plan>> plans;  // their names and those of their targets
    // The first part of targets' keys; those of the plans need not be among them.
    std::set<std::string, std::less<>> providers;
  };

  CallSeries();

  // Before calls begin with them. Series are kept, for counters do not go back.
  void add(const Names& names);

  void call_ended(const CallId& id, const std::shared_ptr<const Plan>& plan,
                  const CallRecord& record) noexcept override;

  void write(Exposition& out) const;

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
    std::array<Cell, kEndings> endings{};
    Cell retries{0};
    Cell fallbacks{0};
    Cell company{0};
    Cell skipped{0};
    Histogram duration;
    Histogram first_content;
    AppendOnlyMap<Spend> spend;  // by target; of "other": one of that name
  };
  struct TargetSeries {
    Cell succeeded{0};
    std::array<Cell, kCategoryCount> failed{};
    Cell refused{0};
    Cell resent{0};
    Cell overtaken{0};
    Histogram duration;
  };
  struct ProviderSeries {
    Cell understated{0};
  };
  // Of this name, else of "other".
  template <typename Series>
  static Series& find(const AppendOnlyMap<Series>& series, std::string_view name) noexcept;
  void count_spend(const AttemptRecord& attempt, std::string_view target, ModelSeries& model) noexcept;
  void write_spend(Exposition& out) const;
  void count_attempts(const Plan& plan, const CallRecord& record, ModelSeries& model) noexcept;

  AppendOnlyMap<ModelSeries> models_;
  AppendOnlyMap<TargetSeries> targets_;
  AppendOnlyMap<ProviderSeries> providers_;
};

}  // namespace fuseboard::telemetry
