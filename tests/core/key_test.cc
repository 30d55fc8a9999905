// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/core/key.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "fuseboard/core/key_index.h"
#include "fuseboard/core/rng.h"

namespace fuseboard {
namespace {

TEST(Key, APairNeverMeetsASingleKeyOrAnotherSplit) {  // BRK-17
  const KeyView single("ab");
  const KeyView empty_second("ab", "");
  const KeyView empty_first("", "ab");
  const KeyView split("a", "b");
  for (const KeyView& a : {single, empty_second, empty_first, split}) {
    int equal = 0;
    for (const KeyView& b : {single, empty_second, empty_first, split}) equal += a == b;
    EXPECT_EQ(equal, 1);
  }
  EXPECT_NE(hash(single), hash(empty_second));
  EXPECT_NE(hash(empty_first), hash(split));
}

RC_GTEST_PROP(Key, ComparesAndHashesLikeStrings, ()) {  // BRK-17
  // Short alphabets make equal and nearly equal keys likely.
  const auto letters = rc::gen::container<std::string>(rc::gen::element('a', 'b', '\0', '\xFF'));
  const std::string a = *letters;
  const std::string b = *rc::gen::oneOf(letters, rc::gen::just(a));
  RC_ASSERT((KeyView(a) == KeyView(b)) == (a == b));
  if (a == b) {
    RC_ASSERT(hash(KeyView(a)) == hash(KeyView(b)));
  } else {
    RC_ASSERT(hash(KeyView(a)) != hash(KeyView(b)));
  }
}

TEST(Key, EveryByteAndTheLengthMatter) {  // BRK-17
  for (std::size_t size = 1; size <= 40; ++size) {
    const std::string key(size, 'x');
    for (std::size_t i = 0; i < size; ++i) {
      std::string other = key;
      other[i] = 'y';
      ASSERT_FALSE(KeyView(key) == KeyView(other)) << size << " " << i;
      ASSERT_NE(hash(KeyView(key)), hash(KeyView(other))) << size << " " << i;
    }
    ASSERT_NE(hash(KeyView(key)), hash(KeyView(key + 'x')));
  }
}

TEST(Key, TextIsReversibleAndTheBoundedOneIsTheSameText) {
  EXPECT_EQ(to_text({"a/b%", "c/d"}), "a%2Fb%25/c/d");
  EXPECT_EQ(to_text("search/web"), "search/web");
}

RC_GTEST_PROP(Key, BoundedTextIsTheTextCutAtItsBound, ()) {  // CORE-5
  const auto part = rc::gen::resize(200, rc::gen::container<std::string>(rc::gen::element('a', '/', '%', 'z')));
  const std::string first = *part;
  const std::string second = *part;
  RC_ASSERT(to_key_text({first, second}) == KeyText(to_text({first, second})));
  RC_ASSERT(to_key_text(first) == KeyText(first));
}

TEST(BoundedText, CutsAtACharacterAndShowsTheCut) {  // CORE-5
  const BoundedText<8> fits("12345678");
  EXPECT_EQ(fits.view(), "12345678");
  const BoundedText<8> cut("123456789");
  EXPECT_EQ(cut.view(), "12345...");
  const BoundedText<8> accents("1234\xC3\xA9\xC3\xA9\xC3\xA9");  // the cut would fall inside an accented letter
  EXPECT_EQ(accents.view(), "1234...");
}

struct Entry {
  explicit Entry(const std::string& text) : name(text) {}
  KeyView key() const noexcept { return name.view(); }
  Key name;
};

TEST(KeyIndex, FindsEveryKeyThroughItsGrowthAndNoOther) {  // BRK-17
  KeyIndex<Entry> index;
  std::vector<std::unique_ptr<Entry>> entries;
  for (int i = 0; i < 5000; ++i) {
    entries.push_back(std::make_unique<Entry>("key-" + std::to_string(i)));
    index.insert(*entries.back(), hash(entries.back()->key()));
  }
  for (const auto& entry : entries) ASSERT_EQ(index.find(entry->key(), hash(entry->key())), entry.get());
  EXPECT_EQ(index.find("key-5000", hash("key-5000")), nullptr);
  EXPECT_EQ(index.find({"key-1", ""}, hash(KeyView("key-1", ""))), nullptr);
}

TEST(KeyIndex, KeysOfOneHashAreToldApart) {  // BRK-17
  KeyIndex<Entry> index;
  Entry a("a");
  Entry b("b");
  index.insert(a, 7);
  index.insert(b, 7);
  EXPECT_EQ(index.find("a", 7), &a);
  EXPECT_EQ(index.find("b", 7), &b);
  EXPECT_EQ(index.find("c", 7), nullptr);
}

TEST(KeyIndex, ReadersFindWhatWasThereWhileAWriterMakesItGrow) {  // BRK-17
  KeyIndex<Entry> index;
  std::vector<std::unique_ptr<Entry>> entries;
  for (int i = 0; i < 4000; ++i) entries.push_back(std::make_unique<Entry>("key-" + std::to_string(i)));
  std::atomic<std::size_t> inserted{0};
  std::atomic<bool> lost{false};
  std::vector<std::jthread> readers;
  for (int t = 0; t < 2; ++t) {
    readers.emplace_back([&] {
      for (std::size_t known = 0; known < entries.size() && !lost;) {
        known = inserted.load(std::memory_order_acquire);
        for (std::size_t i = known > 50 ? known - 50 : 0; i < known; ++i) {
          if (index.find(entries[i]->key(), hash(entries[i]->key())) != entries[i].get()) lost = true;
        }
      }
    });
  }
  for (const auto& entry : entries) {
    index.insert(*entry, hash(entry->key()));
    inserted.fetch_add(1, std::memory_order_release);
  }
  readers.clear();
  EXPECT_FALSE(lost);
}

TEST(KeyIndex, AnErasedKeyIsGoneAndItsNeighboursAreFound) {  // BRK-17
  KeyIndex<Entry> index;
  std::vector<std::unique_ptr<Entry>> entries;
  // Few different hashes, some at the end of the table: long runs that wrap around.
  const auto hash_of = [](int i) { return static_cast<std::uint64_t>(i % 3 == 0 ? 15 : i % 5); };
  for (int i = 0; i < 10; ++i) {
    entries.push_back(std::make_unique<Entry>("key-" + std::to_string(i)));
    index.insert(*entries.back(), hash_of(i));
  }
  Rng rng(3);
  std::vector<bool> present(10, true);
  for (int round = 0; round < 2000; ++round) {
    const auto i = static_cast<int>(rng.below(10));
    Entry& entry = *entries[static_cast<std::size_t>(i)];
    if (present[static_cast<std::size_t>(i)]) {
      index.erase(entry, hash_of(i));
    } else {
      index.insert(entry, hash_of(i));
    }
    present[static_cast<std::size_t>(i)].flip();
    for (int k = 0; k < 10; ++k) {
      const auto place = static_cast<std::size_t>(k);
      Entry* const expected = present[place] ? entries[place].get() : nullptr;
      ASSERT_EQ(index.find("key-" + std::to_string(k), hash_of(k)), expected);
    }
  }
}

}  // namespace
}  // namespace fuseboard
