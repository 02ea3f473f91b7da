// SPDX-License-Identifier: Apache-2.0
#include "base/json.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <bit>
#include <cmath>
#include <limits>
#include <map>

#include "base/error.h"

namespace remixer {
namespace {

std::string canonical_text(const std::string& text) {
  return canonical_json(Json::parse(text));
}

TEST(CanonicalJson, ExampleOfTheStandard) {  // RFC 8785, 3.2.2 and 3.2.4
  EXPECT_EQ(canonical_text(R"({
    "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
    "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
    "literals": [null, true, false]
  })"),
            "{\"literals\":[null,true,false],\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],"
            "\"string\":\"\xe2\x82\xac$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}");
}

TEST(CanonicalJson, MembersAreInTheOrderOfTheirUtf16Units) {  // RFC 8785, 3.2.3
  EXPECT_EQ(canonical_text(R"({"\u20ac": 5, "\r": 1, "\ufb33": 7, "1": 2, "\ud83d\ude00": 6,
                               "\u0080": 3, "\u00f6": 4})"),
            "{\"\\r\":1,\"1\":2,\"\xc2\x80\":3,\"\xc3\xb6\":4,\"\xe2\x82\xac\":5,"
            "\"\xf0\x9f\x98\x80\":6,\"\xef\xac\xb3\":7}");
}

TEST(CanonicalJson, NumbersOfTheStandard) {  // RFC 8785, appendix B
  const std::pair<uint64_t, const char*> samples[] = {
      {0x0000000000000000, "0"},
      {0x8000000000000000, "0"},
      {0x0000000000000001, "5e-324"},
      {0x8000000000000001, "-5e-324"},
      {0x7fefffffffffffff, "1.7976931348623157e+308"},
      {0xffefffffffffffff, "-1.7976931348623157e+308"},
      {0x4340000000000000, "9007199254740992"},
      {0xc340000000000000, "-9007199254740992"},
      {0x4430000000000000, "295147905179352830000"},
      {0x44b52d02c7e14af5, "9.999999999999997e+22"},
      {0x44b52d02c7e14af6, "1e+23"},
      {0x44b52d02c7e14af7, "1.0000000000000001e+23"},
      {0x444b1ae4d6e2ef4e, "999999999999999700000"},
      {0x444b1ae4d6e2ef4f, "999999999999999900000"},
      {0x444b1ae4d6e2ef50, "1e+21"},
      {0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7"},
      {0x3eb0c6f7a0b5ed8d, "0.000001"},
      {0x41b3de4355555553, "333333333.3333332"},
      {0x41b3de4355555554, "333333333.33333325"},
      {0x41b3de4355555555, "333333333.3333333"},
      {0x41b3de4355555556, "333333333.3333334"},
      {0x41b3de4355555557, "333333333.33333343"},
      {0xbecbf647612f3696, "-0.0000033333333333333333"},
      {0x43143ff3c1cb0959, "1424953923781206.2"},
  };
  for (const auto& [bits, text] : samples) {
    EXPECT_EQ(canonical_json(std::bit_cast<double>(bits)), text);
  }
}

TEST(CanonicalJson, RefusesWhatJsonCannotHold) {
  EXPECT_THROW(canonical_json(std::nan("")), InputError);
  EXPECT_THROW(canonical_json(std::numeric_limits<double>::infinity()), InputError);
  EXPECT_THROW(canonical_json(Json::array({-std::numeric_limits<double>::infinity()})), InputError);
  EXPECT_EQ(canonical_json((int64_t{1} << 53)), "9007199254740992");
  EXPECT_EQ(canonical_json(-(int64_t{1} << 53)), "-9007199254740992");
  EXPECT_THROW(canonical_json((int64_t{1} << 53) + 1), InputError);
  EXPECT_THROW(canonical_json(-(int64_t{1} << 53) - 1), InputError);
  EXPECT_THROW(canonical_json(std::numeric_limits<uint64_t>::max()), InputError);
}

TEST(CanonicalJson, RefusesTextThatIsNoUtf8) {
  for (const char* text : {"\xff", "\xc0\xaf", "\xe2\x82", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                           "\x80", "\xe0\x80\x80", "\xf0\x80\x80\x80", "a\xc3"}) {
    EXPECT_THROW(canonical_json(std::string(text)), InputError) << text;
    EXPECT_THROW(canonical_json(Json{{text, 1}}), InputError) << text;
  }
}

TEST(CanonicalJson, WholeNumbersReadTheSameHoweverTheyAreStored) {
  EXPECT_EQ(canonical_json(8.0), canonical_json(8));
  EXPECT_EQ(canonical_json(uint64_t{8}), canonical_json(int64_t{8}));
}

TEST(CanonicalJson, EscapesOnlyWhatMustBe) {
  EXPECT_EQ(canonical_json(std::string("\b\t\n\f\r\"\\/\x01\x1f\x7f")),
            "\"\\b\\t\\n\\f\\r\\\"\\\\/\\u0001\\u001f\x7f\"");
  EXPECT_EQ(canonical_json(std::string("a\0b", 3)), "\"a\\u0000b\"");
}

TEST(CanonicalJson, AnyDoubleReadsBack) {
  EXPECT_TRUE(rc::check([](uint64_t bits) {
    const double value = std::bit_cast<double>(bits);
    RC_PRE(std::isfinite(value));
    RC_ASSERT(std::strtod(canonical_json(value).c_str(), nullptr) == value);
  }));
}

TEST(CanonicalJson, IsItsOwnCanonicalForm) {
  EXPECT_TRUE(rc::check([](const std::map<std::string, std::vector<int>>& value, double number) {
    Json json = Json::object();
    for (const auto& [name, items] : value) {
      std::string ascii = name;
      for (char& c : ascii) c &= 0x7f;
      json[ascii] = items;
    }
    json["number"] = std::fmod(number, 9e15);  // larger ones read back as integers beyond 2^53
    const std::string text = canonical_json(json);
    RC_ASSERT(canonical_json(Json::parse(text)) == text);
  }));
}

TEST(ContentId, IsTheHashOfTheCanonicalText) {
  EXPECT_EQ(content_id(Json::object()),  // of the two bytes {}
            "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
  EXPECT_EQ(content_id(Json::parse(R"({"b": 1, "a": 2.0})")),
            content_id(Json::parse(R"({"a": 2, "b": 1e0})")));
}

}  // namespace
}  // namespace remixer
