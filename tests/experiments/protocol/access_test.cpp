// SPDX-License-Identifier: Apache-2.0
#include "experiments/protocol/access.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "tests/experiments/expect_error.h"

namespace remixer::experiments::protocol {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class AccessTest : public ::testing::Test {
 protected:
  void SetUp() override {
    workspace_ = fs::temp_directory_path() / fmt::format("remixer-access-test-{}", ::getpid());
    fs::create_directories(workspace_);
  }
  void TearDown() override { fs::remove_all(workspace_); }
  fs::path workspace_;
};

TEST_F(AccessTest, IsReadAsItWasWritten) {
  const Access access{"127.0.0.1", 40123, "secret", "", "node7", 4711};
  write_access(access_file(workspace_), access);
  const auto back = read_access(workspace_ / "access.json");
  ASSERT_TRUE(back);
  EXPECT_EQ(back->address, access.address);
  EXPECT_EQ(back->port, access.port);
  EXPECT_EQ(back->token, access.token);
  EXPECT_EQ(back->fingerprint, access.fingerprint);
  EXPECT_EQ(back->host, access.host);
  EXPECT_EQ(back->pid, access.pid);
}

TEST_F(AccessTest, OnlyItsOwnerMayReadIt) {
  write_access(access_file(workspace_), {"127.0.0.1", 1, "secret", "", "h", 1});
  struct stat status {};
  ASSERT_EQ(::stat(access_file(workspace_).c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST_F(AccessTest, NoFileIsNoError) {
  EXPECT_FALSE(read_access(access_file(workspace_)));
}

TEST_F(AccessTest, OtherFilesAreNamed) {
  const std::string file = access_file(workspace_);
  for (const char* text :
       {"", "{", "[]", "{\"address\": \"127.0.0.1\"}",
        R"({"address":"a","port":0,"token":"t","fingerprint":"","host":"h","pid":1})",
        R"({"address":"a","port":65536,"token":"t","fingerprint":"","host":"h","pid":1})"}) {
    write_file_atomic(file, text);
    EXPECT_THAT(input_error([&] { read_access(file); }),
                AllOf(HasSubstr(file), HasSubstr("is not an access file")))
        << text;
  }
}

}  // namespace
}  // namespace remixer::experiments::protocol
