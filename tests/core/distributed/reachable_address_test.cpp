// SPDX-License-Identifier: Apache-2.0
#include "core/distributed/reachable_address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/clock.h"

namespace remixer::training {
namespace {

using ::testing::Contains;

TEST(ReachableAddressTest, OwnAddressesEndWithLoopback) {
  EXPECT_THAT(own_addresses(), Contains("127.0.0.1"));
  EXPECT_NE(own_addresses().front(), "127.0.0.1");
}

TEST(ReachableAddressTest, PassesOverNamesThatDoNotResolveAndAddressesWhereNobodyIs) {
  const Doorbell bell;
  EXPECT_EQ(find_reachable({"no-such-host.invalid", "127.0.0.1"}, bell.port(), bell.secret()),
            "127.0.0.1");
  // Packets to a network for documentation go nowhere: the time-out ends it.
  const double begun = system_clock().monotonic();
  EXPECT_EQ(find_reachable({"192.0.2.1", "127.0.0.1"}, bell.port(), bell.secret(), 0.3),
            "127.0.0.1");
  EXPECT_LT(system_clock().monotonic() - begun, 2);
}

TEST(ReachableAddressTest, AnotherProcessOnThatPortIsNotTakenForIt) {
  const Doorbell bell, other;
  EXPECT_EQ(find_reachable({"127.0.0.1"}, other.port(), bell.secret(), 1), "");
  uint16_t closed = 0;
  {
    const Doorbell gone;
    closed = gone.port();
  }
  EXPECT_EQ(find_reachable({"127.0.0.1"}, closed, bell.secret(), 1), "");
}

TEST(ReachableAddressTest, AnswersManyAtOnceAndEndsAtOnce) {
  const Doorbell bell;
  for (int i = 0; i < 50; ++i) {
    ASSERT_EQ(find_reachable(own_addresses(), bell.port(), bell.secret()).empty(), false);
  }
}

}  // namespace
}  // namespace remixer::training
