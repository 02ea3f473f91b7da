// SPDX-License-Identifier: Apache-2.0
#include "core/io/safetensors.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>

#include "base/error.h"
#include "base/file.h"

namespace remixer::io {
namespace {

using ::testing::HasSubstr;

class SafetensorsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::temp_directory_path() / fmt::format("remixer-io-{}-{}", info->name(), ::getpid());
    fs::create_directories(folder_);
    file_ = folder_ / "weights.safetensors";
  }
  void TearDown() override { fs::remove_all(folder_); }

  // A file of this header over `data`, as an attacker would write it.
  void write_raw(const std::string& header, const std::string& data) const {
    const uint64_t length = header.size();
    std::string bytes(sizeof length, '\0');
    std::memcpy(bytes.data(), &length, sizeof length);
    write_file_atomic(file_, bytes + header + data);
  }

  void expect_refused(const std::string& words) const {
    try {
      read_safetensors(file_);
      ADD_FAILURE() << "read without an error; expected: " << words;
    } catch (const InputError& error) {
      EXPECT_THAT(error.what(), HasSubstr(words));
      EXPECT_THAT(error.what(), HasSubstr(file_.string()));
      EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
    }
  }
  void expect_refused(const std::string& header, size_t data_bytes,
                      const std::string& words) const {
    write_raw(header, std::string(data_bytes, 'x'));
    expect_refused(words);
  }

  fs::path folder_, file_;
};

TEST_F(SafetensorsTest, EveryTypeComesBack) {
  const at::Tensor values = at::arange(12, at::kDouble).view({3, 4}) - 5.5;
  std::vector<std::pair<std::string, at::Tensor>> tensors;
  for (const auto type : {at::kDouble, at::kFloat, at::kHalf, at::kBFloat16, at::kLong, at::kInt}) {
    tensors.emplace_back(c10::toString(type), values.to(type));
  }
  tensors.emplace_back("byte", values.abs().to(at::kByte));
  tensors.emplace_back("flags", values > 0);
  tensors.emplace_back("scalar", at::full({}, 7.0, at::kFloat));
  tensors.emplace_back("empty", at::full({0, 3}, 1.0, at::kFloat));
  write_safetensors(file_, tensors, {{"made_by", "a test"}});

  const Safetensors read = read_safetensors(file_);
  EXPECT_EQ(read.tensors.size(), tensors.size());
  EXPECT_EQ(read.metadata.at("made_by"), "a test");
  for (const auto& [name, tensor] : tensors) {
    EXPECT_EQ(read.at(name).scalar_type(), tensor.scalar_type()) << name;
    EXPECT_TRUE(at::equal(read.at(name), tensor)) << name;
  }
}

TEST_F(SafetensorsTest, ViewsAndGradientsAreWrittenAsTheirValues) {
  at::Tensor base = at::arange(6, at::kFloat).view({2, 3});
  base.set_requires_grad(true);
  write_safetensors(file_, {{"transposed", base.t()}});
  const at::Tensor read = read_safetensors(file_).at("transposed");
  EXPECT_TRUE(at::equal(read, base.detach().t()));
  EXPECT_FALSE(read.requires_grad());
}

TEST_F(SafetensorsTest, OrderGivenDoesNotMatter) {
  const at::Tensor a = at::full({3}, 1.0, at::kFloat), b = at::full({5}, 2.0, at::kHalf),
                   c = at::full({1}, 3, at::kLong);
  write_safetensors(file_, {{"a", a}, {"b", b}, {"c", c}}, {{"x", "1"}, {"y", "2"}});
  const std::string first = read_file(file_);
  write_safetensors(file_, {{"c", c}, {"a", a}, {"b", b}}, {{"y", "2"}, {"x", "1"}});
  EXPECT_EQ(first, read_file(file_));
}

TEST_F(SafetensorsTest, WritingIntoATensorLeavesTheFileAlone) {
  write_safetensors(file_, {{"a", at::full({4}, 1.0, at::kFloat)}});
  at::Tensor a;
  {
    const Safetensors read = read_safetensors(file_);
    a = read.at("a");
  }
  a.fill_(2);  // the map outlives the object
  EXPECT_EQ(a.sum().item<float>(), 8);
  EXPECT_EQ(read_safetensors(file_).at("a").sum().item<float>(), 4);
}

TEST_F(SafetensorsTest, UnalignedDataIsRead) {
  // A header of 63 bytes puts the data on an odd address.
  std::string header = R"({"a":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}})";
  header.resize(63, ' ');
  const double value = 1.25;
  write_raw(header, {reinterpret_cast<const char*>(&value), sizeof value});
  EXPECT_EQ(read_safetensors(file_).at("a").item<double>(), value);
}

TEST_F(SafetensorsTest, EveryTornLengthIsRefused) {
  write_safetensors(file_,
                    {{"a", at::full({2}, 1.0, at::kFloat)}, {"b", at::full({3}, 1, at::kByte)}});
  const std::string whole = read_file(file_);
  for (size_t length = 0; length < whole.size(); ++length) {
    write_file_atomic(file_, whole.substr(0, length));
    EXPECT_THROW(read_safetensors(file_), InputError) << length << " of " << whole.size();
  }
  write_file_atomic(file_, whole + "x");
  expect_refused("1 bytes after the last tensor");
}

TEST_F(SafetensorsTest, AnyFlippedHeaderByteIsReadOrRefusedNotMore) {
  write_safetensors(file_,
                    {{"a", at::full({2}, 1.0, at::kFloat)}, {"b", at::full({3}, 1, at::kByte)}});
  const std::string whole = read_file(file_);
  for (size_t i = 0; i + 11 < whole.size(); ++i) {
    for (const char bit : {1, 8, 64}) {
      std::string bytes = whole;
      bytes[i] = static_cast<char>(bytes[i] ^ bit);
      write_file_atomic(file_, bytes);
      try {
        for (const auto& [name, tensor] : read_safetensors(file_).tensors) tensor.sum();
      } catch (const InputError&) {
      }
    }
  }
}

TEST_F(SafetensorsTest, HostileHeadersAreRefused) {
  expect_refused("[]", 0, "no object");
  expect_refused("{", 0, "not JSON");
  expect_refused(R"({"a":3})", 0, "'a'");
  expect_refused(R"({"a":{"dtype":"F8","shape":[1],"data_offsets":[0,1]}})", 1, "type 'F8'");
  expect_refused(R"({"a":{"dtype":7,"shape":[1],"data_offsets":[0,1]}})", 1, "tensor 'a'");
  expect_refused(R"({"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,1]}})", 1, "'shape'");
  expect_refused(R"({"a":{"dtype":"U8","shape":[1.5],"data_offsets":[0,1]}})", 1, "'shape'");
  expect_refused(R"({"a":{"dtype":"U8","shape":3,"data_offsets":[0,3]}})", 3, "'shape'");
  expect_refused(R"({"a":{"dtype":"U8","shape":[3],"data_offsets":[0]}})", 3, "'data_offsets'");
  expect_refused(R"({"a":{"dtype":"U8","shape":[3],"data_offsets":[3,0]}})", 3, "shape needs 3");
  expect_refused(R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,11]}})", 11,
                 "shape needs 12");
  expect_refused(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}})", 3, "torn");
  expect_refused(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                 R"("a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})",
                 2, "twice");
  expect_refused(R"({"__metadata__":{"a":1}})", 0, "__metadata__");
  expect_refused(std::string(100000, '['), 0, "deep");
}

TEST_F(SafetensorsTest, SizesThatOverflowAreRefused) {
  // 2^32 · 2^32 · 4 bytes is 0 in 64 bits; a size of 0 must not excuse the others.
  expect_refused(R"({"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}})", 0,
                 "larger than any memory");
  expect_refused(R"({"a":{"dtype":"F32","shape":[0,4294967296,4294967296],"data_offsets":[0,0]}})",
                 0, "larger than any memory");
}

TEST_F(SafetensorsTest, OverlapsAndGapsAreRefused) {
  const std::string first = R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},)";
  expect_refused(first + R"("b":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}})", 6, "overlaps");
  expect_refused(first + R"("b":{"dtype":"U8","shape":[2],"data_offsets":[6,8]}})", 8, "gap");
}

TEST_F(SafetensorsTest, MissingThingsAreNamed) {
  expect_refused("No such file");
  write_safetensors(file_, {{"a", at::full({1}, 1.0, at::kFloat)}});
  const Safetensors read = read_safetensors(file_);
  try {
    read.at("b");
    ADD_FAILURE();
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("'b'"));
    EXPECT_THAT(error.what(), HasSubstr(file_.string()));
  }
}

TEST_F(SafetensorsTest, WriterRefusesWhatCannotBeReadBack) {
  const at::Tensor a = at::full({1}, 1.0, at::kFloat);
  EXPECT_THROW(write_safetensors(file_, {{"a", a}, {"a", a}}), InputError);
  EXPECT_THROW(write_safetensors(file_, {{"__metadata__", a}}), InputError);
  EXPECT_THROW(write_safetensors(file_, {{"a\xff", a}}), InputError);
  EXPECT_THROW(write_safetensors(file_, {{"a", a.to(at::kComplexFloat)}}), InputError);
  EXPECT_FALSE(fs::exists(file_));
}

}  // namespace
}  // namespace remixer::io
