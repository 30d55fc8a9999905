// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Categories, judged failures, and the names of what the C API counts in numbers.
#include "c/boundary.h"
#include "c/convert.h"
#include "fuseboard/classify/http_failure.h"
#include "fuseboard/core/category.h"

using namespace fuseboard;
using namespace fuseboard::c_api;

namespace {

// The enumerator's name; NULL beyond the last. Names are literals, so they end in a zero byte.
template <typename Enum>
const char* name_or_null(std::int32_t number, Enum last) noexcept {
  if (number < 0 || number > static_cast<std::int32_t>(last)) return nullptr;
  return name(static_cast<Enum>(number)).data();  // NOLINT(bugprone-suspicious-stringview-data-usage)
}

}  // namespace

const char* fuseboard_category_name(fuseboard_category category) noexcept {
  return name_or_null(category, Category::execution_error);
}

fuseboard_category fuseboard_category_from_name(const char* name) noexcept {
  const auto category = category_from_name(optional_text(name));
  return category ? static_cast<fuseboard_category>(*category) : FUSEBOARD_CATEGORY_NONE;
}

fuseboard_status fuseboard_category_get_properties(fuseboard_category category,
                                                   fuseboard_category_properties* out) noexcept {
  return guarded([&] {
    const CategoryProperties& row = properties(enumerator(category, Category::execution_error, "category"));
    write(&required(out, "properties"),
          {.struct_size = 0, .retryable = row.retryable, .trips_breaker = row.trips_breaker, .fallback = row.fallback});
    return FUSEBOARD_OK;
  });
}

fuseboard_status fuseboard_failure_init(fuseboard_failure* failure, fuseboard_category category,
                                        int64_t retry_after_ms) noexcept {
  return guarded([&] {
    required(failure, "failure") = from_failure(Failure::of(enumerator(category, Category::execution_error, "category"),
                                                            optional_milliseconds(retry_after_ms, "retry_after_ms")));
    return FUSEBOARD_OK;
  });
}

fuseboard_status fuseboard_classify_http(int32_t status, const char* error_code, const char* error_type,
                                         const char* error_message, int64_t retry_after_ms,
                                         fuseboard_failure* failure) noexcept {
  return guarded([&] {
    required(failure, "failure") = from_failure(
        classify_http({.status = status,
                       .error_code = optional_text(error_code),
                       .error_type = optional_text(error_type),
                       .error_message = optional_text(error_message),
                       .hints = {.retry_after = optional_milliseconds(retry_after_ms, "retry_after_ms")}}));
    return FUSEBOARD_OK;
  });
}

const char* fuseboard_reason_name(fuseboard_reason reason) noexcept {
  return name_or_null(reason, RejectionReason::not_eligible);
}

const char* fuseboard_circuit_state_name(fuseboard_circuit_state state) noexcept {
  return name_or_null(state, CircuitState::half_open);
}

fuseboard_status fuseboard_breaker_options_init(fuseboard_breaker_options* options,
                                                fuseboard_breaker_preset preset) noexcept {
  return guarded([&] {
    fuseboard_breaker_options& out = required(options, "options");
    switch (preset) {
      case FUSEBOARD_PRESET_PROVIDER:
        out = from_breaker_options(provider_preset());
        break;
      case FUSEBOARD_PRESET_TOOL:
        out = from_breaker_options(tool_preset());
        break;
      case FUSEBOARD_PRESET_STRICT_PROVIDER:
        out = from_breaker_options(strict_provider_preset());
        break;
      default:
        throw_invalid("preset: " + std::to_string(preset) + " is not allowed; allowed: 0 to 2");
    }
    return FUSEBOARD_OK;
  });
}
