// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/hidden_usage.h"

#include <cstddef>
#include <functional>
#include <string_view>

#include "json/scan.h"

namespace fuseboard::gateway {
namespace {

constexpr std::string_view kSpace = " \t\r\n";

// As a choice may be missing: `[]`, null, or no member at all.
bool is_nothing(std::string_view choices) noexcept {
  if (!choices.starts_with('[')) return choices.empty() || choices == "null";
  return choices.find_first_not_of(kSpace, 1) == choices.size() - 1;
}

bool is_part(std::string_view part, std::string_view whole) noexcept {
  constexpr std::less<const char*> kBefore;
  return !kBefore(part.data(), whole.data()) && kBefore(part.data(), whole.data() + whole.size());
}

struct Members {
  json::Member usage{};
  std::string_view choices{};
};

Members members_of(std::string_view data) {
  Members found;
  const auto error = json::validate_object(data, [&](const json::Member& member) {
    if (member.name == R"("usage")") found.usage = member;
    if (member.name == R"("choices")") found.choices = member.value;
  });
  return error ? Members{} : found;
}

// `object` without that member, and without the comma and the space that came with it.
void append_without(std::string& out, std::string_view object, const json::Member& member) {
  const auto offset = [&](const char* at) { return static_cast<std::size_t>(at - object.data()); };
  std::size_t begin = offset(member.name.data());
  std::size_t end = offset(member.value.data() + member.value.size());
  const std::size_t behind = object.find_first_not_of(kSpace, end);
  const bool another_follows = object[behind] == ',';
  const std::size_t before = object.find_last_not_of(kSpace, begin - 1);
  if (object[before] == ',') {
    begin = before;
    if (another_follows) end = behind;
  } else if (another_follows) {
    end = object.find_first_not_of(kSpace, behind + 1);
  }
  out.append(object.substr(0, begin)).append(object.substr(end));
}

}  // namespace

void append_without_usage(std::string& out, const net::SseEvent& event) {
  const Members members = event.data.contains(R"("usage")") ? members_of(event.data) : Members{};
  const std::string_view usage = members.usage.value;
  if (usage.starts_with('{') && is_nothing(members.choices)) return;
  // Data of several lines is joined somewhere else. Servers that write such have not been met.
  if (usage != "null" || !is_part(event.data, event.raw)) {
    out += event.raw;
    return;
  }
  const auto at = static_cast<std::size_t>(event.data.data() - event.raw.data());
  out += event.raw.substr(0, at);
  append_without(out, event.data, members.usage);
  out += event.raw.substr(at + event.data.size());
}

}  // namespace fuseboard::gateway
