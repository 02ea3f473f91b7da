// SPDX-License-Identifier: Apache-2.0
// Every test of this program begins with ATen on one thread: on a busy machine threads that wait
// for each other inside small layers take minutes.
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

namespace {

class OneThread : public ::testing::EmptyTestEventListener {
  void OnTestStart(const ::testing::TestInfo&) override { at::set_num_threads(1); }
};

const bool kListening = [] {
  ::testing::UnitTest::GetInstance()->listeners().Append(new OneThread);
  return true;
}();

}  // namespace
