// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/line_writer.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <sstream>
#include <string>
#include <thread>

namespace fuseboard::gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kPatience = seconds(60);  // for what should take milliseconds

// A pipe of one page, so that little fills it.
class SmallPipe {
 public:
  SmallPipe() {
    EXPECT_EQ(::pipe(ends_.data()), 0);
    EXPECT_GT(::fcntl(ends_[1], F_SETPIPE_SZ, 4096), 0);
  }
  ~SmallPipe() {
    close_reader();
    close_writer();
  }
  SmallPipe(const SmallPipe&) = delete;
  SmallPipe& operator=(const SmallPipe&) = delete;

  int writer() const { return ends_[1]; }
  void close_reader() { close_end(ends_[0]); }
  void close_writer() { close_end(ends_[1]); }

  // All that is written until the writing end is closed, or until `enough` bytes are there.
  std::string read(std::size_t enough = std::string::npos) {
    std::string text;
    std::array<char, 512> piece{};
    while (text.size() < enough) {
      const ssize_t got = ::read(ends_[0], piece.data(), std::min(piece.size(), enough - text.size()));
      if (got <= 0) break;
      text.append(piece.data(), static_cast<std::size_t>(got));
    }
    return text;
  }

 private:
  static void close_end(int& end) {
    if (end >= 0) ::close(end);
    end = -1;
  }
  std::array<int, 2> ends_{-1, -1};
};

std::string lost(std::uint64_t lines) { return std::to_string(lines) + " lost\n"; }

std::string numbered(int number) {
  std::string line = std::to_string(number);
  return line.insert(0, 99 - line.size(), '.') + "\n";
}

TEST(LineWriter, WritesEveryLineInItsOrder) {
  SmallPipe pipe;
  LineWriter writer(pipe.writer(), {.lost_notice = lost});
  EXPECT_TRUE(writer.write("one\n"));
  EXPECT_TRUE(writer.write("two\n"));
  EXPECT_EQ(pipe.read(8), "one\ntwo\n");
  EXPECT_TRUE(writer.write("three\n"));
  EXPECT_TRUE(writer.close(kPatience));
  pipe.close_writer();
  EXPECT_EQ(pipe.read(), "three\n");
  EXPECT_EQ(writer.dropped(), 0U);
}

TEST(LineWriter, NobodyWhoWritesWaitsForAReaderAndTheLossIsToldWhereItHappened) {
  SmallPipe pipe;
  LineWriter writer(pipe.writer(), {.most_waiting = 2000, .lost_notice = lost});
  // The pipe holds 40 lines, the thread has up to 20 in its hands and 20 wait.
  std::uint64_t taken = 0;
  for (int i = 0; i < 10'000; ++i) taken += writer.write(numbered(i)) ? 1 : 0;
  EXPECT_LE(taken, 4096U / 100 + 40);
  EXPECT_EQ(writer.dropped(), 10'000 - taken);

  std::string text;
  std::thread reader([&] { text = pipe.read(); });
  while (!writer.write("again\n")) std::this_thread::yield();
  EXPECT_TRUE(writer.close(kPatience));
  pipe.close_writer();
  reader.join();
  EXPECT_TRUE(text.starts_with(numbered(0)));
  EXPECT_TRUE(text.ends_with(" lost\nagain\n")) << text.substr(text.size() - 200);
  std::istringstream lines(text);
  std::uint64_t read = 0;
  std::uint64_t told = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line.ends_with(" lost")) {
      told += std::stoul(line);
    } else {
      ++read;
    }
  }
  EXPECT_EQ(read, taken + 1);
  EXPECT_EQ(told, writer.dropped());
}

TEST(LineWriter, TheLossStandsBeforeTheNextLineThatFits) {
  SmallPipe pipe;
  LineWriter writer(pipe.writer(), {.most_waiting = 100, .lost_notice = lost});
  EXPECT_FALSE(writer.write(std::string(100, 'x') + "\n")) << "longer than all that may wait";
  writer.write("next\n");
  EXPECT_TRUE(writer.close(kPatience));
  pipe.close_writer();
  EXPECT_EQ(pipe.read(), "1 lost\nnext\n");
}

TEST(LineWriter, ALineThatFillsTheQueueExactlyIsTaken) {
  SmallPipe pipe;
  LineWriter writer(pipe.writer(), {.most_waiting = 100});
  EXPECT_TRUE(writer.write(numbered(7)));
  EXPECT_TRUE(writer.close(kPatience));
  EXPECT_EQ(writer.dropped(), 0U);
}

TEST(LineWriter, AThreadThatHangsInTheSystemIsLeftBehind) {
  SmallPipe pipe;
  {
    LineWriter writer(pipe.writer(), {});
    for (int i = 0; i < 100; ++i) writer.write(numbered(i));
    EXPECT_FALSE(writer.close(milliseconds(20))) << "nobody reads";
    EXPECT_FALSE(writer.write("late\n"));
  }
  // What it was at is still written when somebody reads.
  EXPECT_EQ(pipe.read(10'000), [] {
    std::string all;
    for (int i = 0; i < 100; ++i) all += numbered(i);
    return all;
  }());
}

TEST(LineWriter, AReaderWhoHasLeftCostsTheLinesAndNothingElse) {
  std::signal(SIGPIPE, SIG_IGN);
  SmallPipe pipe;
  LineWriter writer(pipe.writer(), {.lost_notice = lost});
  pipe.close_reader();
  for (int i = 0; i < 30; ++i) writer.write(numbered(i));
  EXPECT_TRUE(writer.close(kPatience));
  EXPECT_EQ(writer.dropped(), 30U);
}

TEST(LineWriter, ADescriptorThatDoesNotBlockLosesNothing) {
  SmallPipe pipe;
  ASSERT_EQ(::fcntl(pipe.writer(), F_SETFL, O_NONBLOCK), 0);
  LineWriter writer(pipe.writer(), {});
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(writer.write(numbered(i)));
  const std::string text = pipe.read(20'000);
  EXPECT_TRUE(text.ends_with(numbered(199)));
  EXPECT_TRUE(writer.close(kPatience));
  EXPECT_EQ(writer.dropped(), 0U);
}

}  // namespace
}  // namespace fuseboard::gateway
