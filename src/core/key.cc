// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/core/key.h"

namespace fuseboard {

std::string to_text(KeyView key) {
  if (!key.is_pair()) return std::string(key.first());
  std::string text;
  text.reserve(key.first().size() + key.second().size() + 1);
  for (const char c : key.first()) {
    if (c == '/') {
      text += "%2F";
    } else if (c == '%') {
      text += "%25";
    } else {
      text += c;
    }
  }
  text += '/';
  text += key.second();
  return text;
}

}  // namespace fuseboard
