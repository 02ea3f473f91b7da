// SPDX-License-Identifier: Apache-2.0
#include "coordinator/command/ask/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "base/error.h"
#include "coordinator/daemon/daemon.h"
#include "coordinator/daemon/workspace.h"
#include "experiments/protocol/access.h"
#include "tests/coordinator/support.h"

namespace remixer::coordinator::command {
namespace {

using ::testing::HasSubstr;

// Not "no daemon", nor "in use by another": a name that no address is known of.
TEST(Session, SaysThatTheNameOfALivingDaemonsHostIsNotKnown) {
  const testing::TemporaryFolder folder;
  experiments::protocol::Access access;
  access.address = "no-such-host.invalid";
  access.port = 7878;
  access.token = std::string(64, 'a');
  access.fingerprint = std::string(64, 'b');
  access.host = "elsewhere";
  experiments::protocol::write_access(experiments::protocol::access_file(folder.path), access);
  EXPECT_FALSE(Session::find(folder.path).has_value()) << "nobody owns the workspace";
  const WorkspaceLock owner(folder.path);
  try {
    Session::find(folder.path);
    ADD_FAILURE() << "it was found";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("no-such-host.invalid is not known here"));
  }
}

// A daemon of another version may answer with other fields: here, another question's answer.
TEST(Session, SaysThatADaemonOfAnotherVersionIsNotUnderstood) {
  const testing::TemporaryFolder folder;
  DaemonOptions options;
  options.workspace = folder.path;
  Daemon daemon(options);
  daemon.start();
  Session session(daemon.access());
  EXPECT_EQ(session.ask<experiments::protocol::answers::Ping>("/ping").workspace,
            folder.path.string());
  try {
    session.ask<experiments::protocol::answers::Status>("/ping");
    ADD_FAILURE() << "it was understood";
  } catch (const InputError&) {
    ADD_FAILURE() << "the user's input is not to blame";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("status: field 'now' is missing"));
    EXPECT_THAT(error.what(), HasSubstr("another version"));
  }
  daemon.stop();
  daemon.wait();
}

}  // namespace
}  // namespace remixer::coordinator::command
