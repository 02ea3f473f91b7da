// SPDX-License-Identifier: Apache-2.0
#include "core/dataset/boxes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/photographs.h"

namespace remixer::data {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(Voc, GivesSizeNameAndBoxes) {
  const Annotation annotation =
      parse_voc(voc(500, 375, {{10, 20, 100, 200}, {0, 0, 5, 6}}), "a.xml");
  EXPECT_EQ(annotation.width, 500);
  EXPECT_EQ(annotation.height, 375);
  EXPECT_EQ(annotation.object, "n02084071");
  EXPECT_THAT(annotation.boxes, ElementsAre(Box{10, 20, 100, 200}, Box{0, 0, 5, 6}));
}

TEST(Voc, MayHaveNoObject) {
  EXPECT_THAT(parse_voc(voc(10, 10, {}), "a.xml").boxes, IsEmpty());
}

TEST(Voc, TornFilesAreNamed) {
  const std::string whole = voc(500, 375, {{10, 20, 100, 200}});
  EXPECT_THAT(input_error([&] { parse_voc(whole.substr(0, whole.size() / 2), "a.xml"); }),
              AllOf(HasSubstr("a.xml"), HasSubstr("torn")));
  EXPECT_THAT(input_error([&] { parse_voc("", "a.xml"); }), HasSubstr("a.xml"));
  std::string half = whole;
  half.replace(half.find("<xmax>100"), 9, "<xmax>");
  EXPECT_THAT(input_error([&] { parse_voc(half, "a.xml"); }), HasSubstr("<xmax>"));
}

// As PASCAL writes them: <source> holds an <annotation> of its own.
TEST(Voc, IsReadByItsStructure) {
  const std::string box =
      "<bndbox><xmin>5</xmin><ymin>6</ymin><xmax>30</xmax><ymax>31</ymax></bndbox>";
  const std::string other =
      "<bndbox><xmin>1</xmin><ymin>1</ymin><xmax>4</xmax><ymax>4</ymax></bndbox>";
  for (const std::string& inside :
       {"<source><annotation>PASCAL VOC2007</annotation></source><object>" + box + "</object>",
        "<object><part><name>head</name>" + other + "</part>" + box + "</object>",
        "<!-- <object>" + other + "</object> --><object>" + box + "</object>",
        "<object id=\"1\">" + box + "</object>",
        "<source><object>" + other + "</object></source><object>" + box + "</object>",
        "<object><bndbox type=\"rect\">" + box.substr(8) + "</object>",
        "<object ><name>a<!-- x --></name >" + box + "</object >"}) {
    EXPECT_THAT(parse_voc("<?xml version=\"1.0\"?>\n<annotation verified=\"yes\">" + inside +
                              "</annotation>",
                          "a.xml")
                    .boxes,
                ElementsAre(Box{5, 6, 30, 31}))
        << inside;
  }
  EXPECT_THAT(input_error([&] { parse_voc("<html><annotation/></html>", "a.xml"); }),
              AllOf(HasSubstr("a.xml"), HasSubstr("<html>")));
  EXPECT_THAT(input_error([&] {
                parse_voc("<annotation><object>" + box + other + "</object></annotation>", "a.xml");
              }),
              HasSubstr("several <bndbox>"));
}

TEST(FitBox, CutsVocsLastColumnAndRefusesTheRest) {
  Box whole{0, 0, 64, 48};  // VOC's way to write an image's last column and row
  EXPECT_EQ(fit_box(whole, 64, 48), "");
  EXPECT_EQ(whole, (Box{0, 0, 63, 47}));
  Box swapped{30, 0, 20, 10}, outside{0, 0, 66, 10}, beyond{64, 0, 64, 10}, negative{-1, 0, 5, 5};
  EXPECT_THAT(fit_box(swapped, 64, 48), HasSubstr("swapped"));
  EXPECT_THAT(fit_box(outside, 64, 48), HasSubstr("outside"));
  EXPECT_THAT(fit_box(beyond, 64, 48), HasSubstr("outside"));
  EXPECT_THAT(fit_box(negative, 64, 48), HasSubstr("outside"));
}

class BoxIndexTest : public ::testing::Test {
 protected:
  BoxIndex table(const std::string& text) {
    put(folder_.path() / "boxes.tsv", text);
    return BoxIndex::open(folder_.path() / "boxes.tsv");
  }
  // The annotation of an image where it is the only one.
  static std::optional<Annotation> only(BoxIndex index, const std::string& image) {
    index.match({image});
    return index.find(image);
  }
  std::string error(const std::string& text) {
    return input_error([&] { table(text); });
  }
  TemporaryFolder folder_;
};

TEST_F(BoxIndexTest, FindsAFoldersFilesFromTheEndOfThePath) {
  put(folder_.path() / "train/n01/n01_7.xml", voc(9, 9, {{1, 2, 3, 4}}));
  put(folder_.path() / "val/ILSVRC_1.xml", voc(9, 9, {{5, 5, 6, 6}}));
  put(folder_.path() / "a/same.xml", voc(9, 9, {{0, 0, 1, 1}}));
  put(folder_.path() / "b/same.xml", voc(9, 9, {{0, 0, 2, 2}}));
  BoxIndex index = BoxIndex::open(folder_.path());
  EXPECT_EQ(index.size(), 4u);
  const BoxMatches& matches =
      index.match({"train/n01/n01_7.JPEG", "x/y/b/same.png", "val/n09/ILSVRC_1.JPEG", "c/same.png",
                   "train/n01/n01_8.JPEG"});
  EXPECT_EQ(matches.rows_matched, 3);
  EXPECT_THAT(matches.unmatched, ElementsAre("a/same.xml"));
  EXPECT_THAT(index.find("train/n01/n01_7.JPEG")->boxes, ElementsAre(Box{1, 2, 3, 4}));
  EXPECT_THAT(index.find("x/y/b/same.png")->boxes, ElementsAre(Box{0, 0, 2, 2}));
  // The annotation is in another folder; its name is found nowhere else.
  EXPECT_THAT(index.find("val/n09/ILSVRC_1.JPEG")->boxes, ElementsAre(Box{5, 5, 6, 6}));
  EXPECT_FALSE(index.find("c/same.png"));
  EXPECT_FALSE(index.find("train/n01/n01_8.JPEG"));
}

TEST_F(BoxIndexTest, ReadsTablesWithAndWithoutNames) {
  for (const char* text : {"cat/1.jpg\t1\t2\t3\t4\n", "cat/1.jpg\tn01\t1\t2\t3\t4\n",
                           "image,xmin,ymin,xmax,ymax\ncat/1.jpg,1,2,3,4\n",
                           "cat/1.jpg 1 2 3 4\r\n", "y1\tpath\tx0\ty0\tx1\n4\tcat/1.jpg\t1\t2\t3\n",
                           "ImageId,PredictionString\n1,n01 1 2 3 4 \n",
                           "image,x0,y0,x1,y1\n\"cat/1.jpg\",\"1\",2,3,4\n",
                           "image;class;x0;y0;x1;y1\r\ncat/1.jpg;a \"b\";1;2;3;4\r\n",
                           "\xef\xbb\xbfimage,x0,y0,x1,y1\ncat\\1.jpg,1,2,3,4\n",
                           "/data/somewhere/train/cat/1.jpg 1 2 3 4\n"}) {
    const auto annotation = only(table(text), "train/cat/1.jpg");
    ASSERT_TRUE(annotation) << text;
    EXPECT_THAT(annotation->boxes, ElementsAre(Box{1, 2, 3, 4})) << text;
  }
  EXPECT_EQ(only(table("cat/1.jpg n01 1 2 3 4\n"), "cat/1.jpg")->object, "n01");
}

TEST_F(BoxIndexTest, SeveralLinesAreSeveralBoxes) {
  BoxIndex index = table("a.jpg 1 2 3 4\nb.jpg 0 0 1 1\na.jpg 5 6 7 8\n");
  index.match({"a.jpg", "b.jpg"});
  EXPECT_THAT(index.find("a.jpg")->boxes, ElementsAre(Box{1, 2, 3, 4}, Box{5, 6, 7, 8}));
  EXPECT_THAT(index.images(), ElementsAre("a.jpg", "b.jpg"));
}

// A bare name counts only where it is unique among the images as well.
TEST_F(BoxIndexTest, ANameThatFitsSeveralImagesIsOfNone) {
  BoxIndex bare = table("1.jpg 1 2 3 4\n2.jpg 5 5 6 6\n");
  const BoxMatches& matches = bare.match({"cat/1.jpg", "dog/1.jpg", "dog/2.jpg"});
  EXPECT_FALSE(bare.find("cat/1.jpg"));
  EXPECT_FALSE(bare.find("dog/1.jpg"));
  EXPECT_TRUE(bare.find("dog/2.jpg"));
  EXPECT_THAT(matches.ambiguous, ElementsAre("1.jpg fits cat/1.jpg, dog/1.jpg"));
  EXPECT_EQ(matches.rows, 2);
  EXPECT_EQ(matches.rows_matched, 1);
  // One class below two splits is no better.
  BoxIndex splits = table("cat/1.jpg 1 2 3 4\n");
  splits.match({"train/cat/1.jpg", "val/cat/1.jpg"});
  EXPECT_FALSE(splits.find("train/cat/1.jpg"));
  // A row that names a folder of other images is not of this one.
  BoxIndex other = table("dog/1.jpg 1 2 3 4\n");
  other.match({"cat/1.jpg", "dog/2.jpg"});
  EXPECT_FALSE(other.find("cat/1.jpg"));
  // Suffixes tell images of one name apart.
  BoxIndex suffixes = table("a/1.png 1 2 3 4\n");
  suffixes.match({"a/1.jpg", "a/1.png"});
  EXPECT_FALSE(suffixes.find("a/1.jpg"));
  EXPECT_TRUE(suffixes.find("a/1.png"));
}

TEST_F(BoxIndexTest, BadLinesAreNamed) {
  EXPECT_THAT(error("a.jpg,0.1,0.2,0.5,0.75\nb.jpg,0,0,1,1\n"), HasSubstr("parts of the image"));
  EXPECT_THAT(error("\xff\xfei\0m\0"), HasSubstr("UTF-16"));
  EXPECT_THAT(error("image,x0,y0,x1,y1\n\"a.jpg,1,2,3,4\n"), HasSubstr("quotation mark"));

  EXPECT_THAT(error("a.jpg 1 2 3 4\na.jpg 1 2 3\n"), HasSubstr("boxes.tsv:2: 4 columns"));
  EXPECT_THAT(error("a.jpg 1 2 three 4\n"),
              AllOf(HasSubstr("boxes.tsv:1"), HasSubstr("\"three\"")));
  EXPECT_THAT(error("image,x0,y0,x1\n"), HasSubstr("must hold image, x0, y0, x1 and y1"));
  EXPECT_THAT(error("a.jpg 1 2\n"), HasSubstr("boxes.tsv:1: 3 columns"));
  EXPECT_THAT(input_error([&] { BoxIndex::open(folder_.path() / "gone"); }), HasSubstr("gone"));
}

}  // namespace
}  // namespace remixer::data
