// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/classify/transport.h"

#include <array>

#include "fuseboard/classify/modifier.h"

namespace fuseboard {
namespace {

using enum TransportFault;

struct Row {
  TransportFault fault;
  std::string_view name;
  Category category;
  Modifier modifier = Modifier::none;
};

constexpr std::array kRows = std::to_array<Row>({
    {resolve, "resolve", Category::network},
    {connect_refused, "connect_refused", Category::network},
    {connect_timeout, "connect_timeout", Category::timeout},
    {connect_failed, "connect_failed", Category::network},
    {tls, "tls", Category::network},
    {tls_certificate, "tls_certificate", Category::network, Modifier::untrusted_certificate},
    {reset, "reset", Category::network},
    {closed_early, "closed_early", Category::network},
    {truncated, "truncated", Category::network},
    {head_timeout, "head_timeout", Category::timeout},
    {first_content_timeout, "first_content_timeout", Category::timeout},
    {idle_timeout, "idle_timeout", Category::timeout},
    {total_timeout, "total_timeout", Category::timeout},
    {malformed, "malformed", Category::service_unavailable},
    {local_exhaustion, "local_exhaustion", Category::resource_exhausted, Modifier::own_exhaustion},
    {cancelled, "cancelled", Category::cancelled},
});

consteval bool rows_match_enumerators() {
  for (std::size_t i = 0; i < kRows.size(); ++i) {
    if (static_cast<std::size_t>(kRows[i].fault) != i) return false;
  }
  return kRows.size() == static_cast<std::size_t>(cancelled) + 1;
}
static_assert(rows_match_enumerators());

const Row& row(TransportFault fault) noexcept { return kRows[static_cast<std::size_t>(fault)]; }

}  // namespace

std::string_view name(TransportFault fault) noexcept { return row(fault).name; }

Failure classify_transport(TransportFault fault) noexcept {
  return make_failure(row(fault).category, row(fault).modifier);
}

std::optional<Failure> classify_stream_end(bool complete, const std::optional<Failure>& in_band_error) noexcept {
  if (in_band_error) return in_band_error;
  if (complete) return std::nullopt;
  return classify_transport(truncated);
}

}  // namespace fuseboard
