// SPDX-License-Identifier: Apache-2.0
#include "base/text_table.h"

#include <gtest/gtest.h>

namespace remixer {
namespace {

Table small() {
  Table table({{"name"}, {"n"}, {"accuracy", Show::kFixed1}, {"time", Show::kDuration}});
  table.add_row({"plain", 7, 64.249, 75.0});
  table.add_row({"a longer name", 12345, nullptr, nullptr});
  return table;
}

TEST(TableText, AlignsTextLeftAndNumbersRight) {
  EXPECT_EQ(small().text(),
            "name               n  accuracy        time\n"
            "plain              7      64.2  1 min 15 s\n"
            "a longer name  12345         -           -\n");
}

TEST(TableText, CountsCodePointsNotBytes) {
  Table table({{"title"}, {"n"}});
  table.add_row({"größe · κ", 1});
  table.add_row({"123456789", 2});
  EXPECT_EQ(table.text(), "title      n\ngröße · κ  1\n123456789  2\n");
}

TEST(TableText, ShortensTheWidestTextToTheWidth) {
  Table table({{"title"}, {"n"}});
  table.add_row({"a title that is far too long", 123456});
  table.add_row({"short", 1});
  const std::string text = table.text(20);
  EXPECT_EQ(text, "title              n\na title tha…  123456\nshort              1\n");
}

TEST(TableText, KeepsALineALine) {
  Table table({{"reason"}});
  table.add_row({"first\nsecond\x1b[31m"});
  EXPECT_EQ(table.text(), "reason\nfirst second [31m\n");
}

TEST(TableText, ShowsNumbersShortAndFlagsAsWords) {
  Table table({{"value"}, {"best"}});
  table.add_row({0.123456789, true});
  EXPECT_EQ(table.text(), "   value  best\n0.123457  yes\n");
}

TEST(TableText, ShowsSmallHoursAndGigabytes) {
  Table table({{"time", Show::kHours}, {"disk", Show::kGigabytes}});
  table.add_row({0.2, 0.0123});
  table.add_row({3.94, 145.2});
  EXPECT_EQ(table.text(), "  time    disk\n12 min   12 MB\n 3.9 h  145 GB\n");
  EXPECT_EQ(table.csv(), "time,disk\n0.2,0.0123\n3.94,145.2\n");
}

TEST(TableCsv, QuotesWhatNeedsIt) {
  Table table({{"a,b"}, {"c"}, {"d"}, {"e"}});
  table.add_row({"say \"hi\"", "two\nlines", nullptr, 0.1});
  table.add_row({"plain", "a,b", true, 3});
  EXPECT_EQ(table.csv(),
            "\"a,b\",c,d,e\n"
            "\"say \"\"hi\"\"\",\"two\nlines\",,0.1\n"
            "plain,\"a,b\",true,3\n");
}

TEST(TableJson, IsAnArrayOfObjectsInColumnOrder) {
  const std::string text = small().json();
  const Json parsed = Json::parse(text);
  ASSERT_EQ(parsed.size(), 2u);
  EXPECT_EQ(parsed[0]["accuracy"], 64.249);
  EXPECT_EQ(parsed[0]["time"], 75.0);
  EXPECT_TRUE(parsed[1]["accuracy"].is_null());
  EXPECT_LT(text.find("\"name\""), text.find("\"n\""));
  EXPECT_LT(text.find("\"n\""), text.find("\"accuracy\""));
}

TEST(TableJson, IsAnEmptyArrayWithoutRows) {
  EXPECT_EQ(Json::parse(Table({{"a"}}).json()), Json::array());
}

TEST(TableJson, SurvivesBytesThatAreNotUtf8) {
  Table table({{"a"}});
  table.add_row({std::string("\xff\xfe")});
  EXPECT_EQ(Json::parse(table.json()).size(), 1u);
}

TEST(Shortened, CutsAtCodePoints) {
  EXPECT_EQ(shortened("κκκκ", 4), "κκκκ");
  EXPECT_EQ(shortened("κκκκ", 3), "κκ…");
  EXPECT_EQ(shortened("abc", 1), "…");
  EXPECT_EQ(shortened("abc", 0), "");
  EXPECT_EQ(display_width(shortened("größer als erlaubt", 7)), 7u);
}

}  // namespace
}  // namespace remixer
