// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include <algorithm>
#include <array>
#include <cstdint>

#include "fuseboard/classify/hints.h"

namespace fuseboard {
namespace {

constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<std::string_view, 7> kDays = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                                   "Friday", "Saturday", "Sunday"};

// The fields of a date as written; -1 until read.
struct Fields {
  int year = -1;
  int month = -1;
  int day = -1;
  int hour = -1;
  int minute = -1;
  int second = -1;
};

// Takes the text apart from the left. After a mismatch ok() is false and stays so.
class Cursor {
 public:
  explicit Cursor(std::string_view text) noexcept : rest_(text) {}

  Cursor& literal(std::string_view expected) noexcept {
    if (rest_.starts_with(expected)) {
      rest_.remove_prefix(expected.size());
    } else {
      ok_ = false;
    }
    return *this;
  }

  Cursor& digits(std::size_t count, int& value) noexcept {
    value = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (rest_.empty() || rest_.front() < '0' || rest_.front() > '9') {
        ok_ = false;
        return *this;
      }
      value = value * 10 + (rest_.front() - '0');
      rest_.remove_prefix(1);
    }
    return *this;
  }

  // A point and digits after it, as milliseconds, rounded up; 0 without a point.
  Cursor& fraction(int& milliseconds) noexcept {
    milliseconds = 0;
    if (!rest_.starts_with('.')) return *this;
    rest_.remove_prefix(1);
    bool more = false;
    std::size_t count = 0;
    for (; !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9'; rest_.remove_prefix(1), ++count) {
      if (count < 3) {
        milliseconds = milliseconds * 10 + (rest_.front() - '0');
      } else if (rest_.front() != '0') {
        more = true;
      }
    }
    ok_ = ok_ && count > 0;
    for (; count < 3; ++count) milliseconds *= 10;
    milliseconds += more ? 1 : 0;
    return *this;
  }

  // "Z" or "+01:30", in minutes.
  Cursor& offset(int& minutes) noexcept {
    minutes = 0;
    if (rest_.starts_with('Z') || rest_.starts_with('z')) {
      rest_.remove_prefix(1);
      return *this;
    }
    const bool west = rest_.starts_with('-');
    int hour = 0;
    int minute = 0;
    if (!west && !rest_.starts_with('+')) ok_ = false;
    if (ok_) rest_.remove_prefix(1);
    digits(2, hour).literal(":").digits(2, minute);
    minutes = (hour * 60 + minute) * (west ? -1 : 1);
    return *this;
  }

  Cursor& month(int& value) noexcept {
    for (std::size_t i = 0; i < kMonths.size(); ++i) {
      if (rest_.starts_with(kMonths[i])) {
        value = static_cast<int>(i) + 1;
        return literal(kMonths[i]);
      }
    }
    ok_ = false;
    return *this;
  }

  // The name of a weekday, whole or its first three letters. Whether it fits the date is not checked: the date decides.
  Cursor& weekday(bool whole) noexcept {
    for (const std::string_view day : kDays) {
      const std::string_view written = whole ? day : day.substr(0, 3);
      if (rest_.starts_with(written)) return literal(written);
    }
    ok_ = false;
    return *this;
  }

  // A day of asctime: two digits, or a space and one.
  Cursor& padded_day(int& value) noexcept {
    if (!rest_.starts_with(' ')) return digits(2, value);
    return literal(" ").digits(1, value);
  }

  Cursor& time(Fields& fields) noexcept {
    return digits(2, fields.hour).literal(":").digits(2, fields.minute).literal(":").digits(2, fields.second);
  }

  bool at_end() const noexcept { return ok_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

// "Sun, 06 Nov 1994 08:49:37 GMT"
bool read_imf_fixdate(std::string_view text, Fields& f) noexcept {
  Cursor cursor(text);
  cursor.weekday(false).literal(", ").digits(2, f.day).literal(" ").month(f.month).literal(" ").digits(4, f.year);
  return cursor.literal(" ").time(f).literal(" GMT").at_end();
}

// "Sun Nov  6 08:49:37 1994"
bool read_asctime(std::string_view text, Fields& f) noexcept {
  Cursor cursor(text);
  cursor.weekday(false).literal(" ").month(f.month).literal(" ").padded_day(f.day).literal(" ").time(f);
  return cursor.literal(" ").digits(4, f.year).at_end();
}

// "Sunday, 06-Nov-94 08:49:37 GMT". Two digits name the year that is nearest to now, as RFC 9110 asks.
bool read_rfc850(std::string_view text, int year_now, Fields& f) noexcept {
  Cursor cursor(text);
  cursor.weekday(true).literal(", ").digits(2, f.day).literal("-").month(f.month).literal("-").digits(2, f.year);
  if (!cursor.literal(" ").time(f).literal(" GMT").at_end()) return false;
  f.year += year_now - year_now % 100;
  if (f.year > year_now + 50) f.year -= 100;
  if (f.year <= year_now - 50) f.year += 100;
  return true;
}

std::optional<std::chrono::sys_seconds> to_seconds(const Fields& f) noexcept {
  namespace chrono = std::chrono;
  const chrono::year_month_day date{chrono::year(f.year), chrono::month(static_cast<unsigned>(f.month)),
                                    chrono::day(static_cast<unsigned>(f.day))};
  // 60 is a leap second, which civil time counts as the first second of the next minute.
  if (!date.ok() || f.hour > 23 || f.minute > 59 || f.second > 60) return std::nullopt;
  return chrono::sys_days(date) + chrono::hours(f.hour) + chrono::minutes(f.minute) + chrono::seconds(f.second);
}

}  // namespace

std::optional<std::chrono::sys_seconds> parse_http_date(WallTime now, std::string_view text) noexcept {
  Fields fields;
  if (read_imf_fixdate(text, fields) || read_asctime(text, fields)) return to_seconds(fields);
  const std::chrono::year_month_day today(std::chrono::floor<std::chrono::days>(now));
  if (read_rfc850(text, static_cast<int>(today.year()), fields)) return to_seconds(fields);
  return std::nullopt;
}

std::optional<Duration> parse_rfc3339_reset(std::optional<WallTime> now, std::string_view text) noexcept {
  if (!now || text.size() < 20 || (text[10] != 'T' && text[10] != 't' && text[10] != ' ')) return std::nullopt;
  Fields f;
  int milliseconds = 0;
  int offset_minutes = 0;
  Cursor cursor(text);
  cursor.digits(4, f.year).literal("-").digits(2, f.month).literal("-").digits(2, f.day);
  cursor.literal(text.substr(10, 1)).time(f).fraction(milliseconds).offset(offset_minutes);
  if (!cursor.at_end()) return std::nullopt;
  const auto seconds = to_seconds(f);
  if (!seconds) return std::nullopt;
  const std::int64_t date_ms = (seconds->time_since_epoch().count() - offset_minutes * 60) * 1000 + milliseconds;
  const std::int64_t now_ms = std::chrono::floor<std::chrono::milliseconds>(*now).time_since_epoch().count();
  // The year 9999 does not fit Duration's nanoseconds.
  constexpr std::int64_t kMax = std::chrono::duration_cast<std::chrono::milliseconds>(Duration::max()).count();
  return std::chrono::milliseconds(std::clamp<std::int64_t>(date_ms - now_ms, 0, kMax));
}

}  // namespace fuseboard
