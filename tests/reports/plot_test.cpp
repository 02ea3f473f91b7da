// SPDX-License-Identifier: Apache-2.0
#include "reports/plot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <regex>
#include <set>

#include "base/base64.h"
#include "reports/svg.h"

namespace remixer::reports {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Plot example(size_t series) {
  Plot plot{"Accuracy & gap", "epoch", "loss", true, false, {}};
  for (size_t s = 0; s < series; ++s) {
    PlotSeries line{fmt::format("Model <{}>", s), {}, s % 2 == 0};
    for (int i = 0; i < 30; ++i)
      line.points.push_back({i / 10.0, 2.5 / (i + 1) + static_cast<double>(s)});
    plot.series.push_back(line);
  }
  return plot;
}

TEST(Ticks, AreRoundAndHoldTheRange) {
  for (const auto& [low, high] :
       {std::pair{0.0, 1.0}, {-3.2, 7.9}, {41.3, 44.1}, {0.0, 1e-3}, {5.0, 5.0}, {-1e6, 1e6}}) {
    const Ticks ticks = make_ticks(low, high);
    EXPECT_LE(ticks.low, low);
    EXPECT_GE(ticks.high, high);
    EXPECT_GE(ticks.values().size(), 2u);
    EXPECT_LE(ticks.values().size(), 9u);
    std::set<std::string> texts;
    for (const double value : ticks.values())
      EXPECT_TRUE(texts.insert(ticks.text(value)).second) << ticks.text(value);
  }
  EXPECT_EQ(make_ticks(-0.1, 0.1).text(-1e-18), "0.00");
}

TEST(Plot, IsTheSameForTheSameValues) {
  EXPECT_EQ(plot_svg(example(3)), plot_svg(example(3)));
  EXPECT_NE(plot_svg(example(3)), plot_svg(example(4)));
}

TEST(Plot, EveryLineIsInTheLegendAndLooksLikeNoOther) {
  const std::string svg = plot_svg(example(12));
  for (int s = 0; s < 12; ++s) EXPECT_THAT(svg, HasSubstr(fmt::format("Model &lt;{}&gt;", s)));
  EXPECT_THAT(svg, Not(HasSubstr("<12>")));
  std::set<std::string> looks;
  for (size_t i = 0; i < 280; ++i) {
    looks.insert(
        fmt::format("{} {} {}", series_colour(i), series_dash(i), svg_mark(i, 0, 0, "", false)));
  }
  EXPECT_EQ(looks.size(), 280u);
}

// Letters of 11 pixels and more at a phone's width, and nothing beyond the edge.
TEST(Plot, IsReadableOnAPhone) {
  for (const std::string& svg :
       {plot_svg(example(5)),
        forest_svg("gains",
                   {{"Original", true}, {"DeiT-S + ReMixer (BigBiGAN)", false, 1, -1, 3}})}) {
    EXPECT_THAT(svg, HasSubstr("viewBox=\"0 0 400 "));
    const std::regex size("font-size=\"(\\d+)\"");
    for (std::sregex_iterator i(svg.begin(), svg.end(), size), end; i != end; ++i)
      EXPECT_GE(std::stoi((*i)[1]), 11);
    const std::regex place("\\b[xc]x?[12]?=\"(-?[\\d.]+)\"");
    for (std::sregex_iterator i(svg.begin(), svg.end(), place), end; i != end; ++i) {
      EXPECT_GE(std::stod((*i)[1]), 0) << i->str();
      EXPECT_LE(std::stod((*i)[1]), 400) << i->str();
    }
  }
}

TEST(Plot, PointsThatAreNoNumbersAreLeftOut) {
  Plot plot = example(1);
  const std::string whole = plot_svg(plot);
  plot.series[0].points.push_back({1, NAN});
  plot.series[0].points.push_back({INFINITY, 1});
  const std::string svg = plot_svg(plot);
  EXPECT_THAT(svg, Not(HasSubstr("nan")));
  EXPECT_THAT(svg, Not(HasSubstr("inf")));
  plot.series[0].points.clear();
  EXPECT_THAT(plot_svg(plot), HasSubstr("</svg>"));
}

TEST(Forest, TellsNoiseByMoreThanColour) {
  const std::string svg = forest_svg("gains", {{"Original", true, 0, 0, 0, false},
                                               {"a", false, 2.5, 1, 4, false},
                                               {"b", false, -0.5, -2, 1, true}});
  EXPECT_THAT(svg, HasSubstr(">+2.50</text>"));
  EXPECT_THAT(svg, HasSubstr(">−0.50~</text>"));
  EXPECT_THAT(svg, HasSubstr("fill=\"none\""));
  EXPECT_THAT(svg, HasSubstr("within noise"));
}

TEST(Base64, IsAsInTheStandard) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(base64(std::string("\xff\xfe\x00", 3)), "//4A");
}

}  // namespace
}  // namespace remixer::reports
