"""Makes the documents of this folder: python make.py (see README.md)."""

import datetime
import docx
import openpyxl
import pptx
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.platypus import PageBreak, Paragraph, SimpleDocTemplate

STYLES = getSampleStyleSheet()
FILLER = (
    "The library lends books, maps and instruments to everyone who lives in the town or works there. "
    "Whoever borrows for the first time brings a proof of residence and is given a card on the spot. "
)

story = [Paragraph("Rules of lending", STYLES["Title"])]
story += [Paragraph(FILLER * 2, STYLES["BodyText"]) for _ in range(3)]
story.append(PageBreak())
story.append(Paragraph("Fines", STYLES["Heading1"]))
story.append(
    Paragraph(
        "A lost atlas costs forty crowns, whatever its condition was when it was borrowed. "
        "A lost key of the map room costs twelve, and is to be reported on the day of its loss.",
        STYLES["BodyText"],
    )
)
SimpleDocTemplate("lending.pdf", pagesize=A4, title="Rules of lending").build(story)

document = docx.Document()
document.add_heading("Handbook", 0)
document.add_heading("Rooms and keys", 1)
document.add_paragraph("Each room has one keeper, who is asked for its key.")
table = document.add_table(rows=1, cols=2)
table.rows[0].cells[0].text, table.rows[0].cells[1].text = "Room", "Who keeps the key"
for room, keeper in (("Observatory", "Mrs. Lindqvist"), ("Archive", "Mr. Okafor")):
    cells = table.add_row().cells
    cells[0].text, cells[1].text = room, keeper
document.add_paragraph("Return it in the evening", style="List Bullet")
document.add_paragraph("Never lend it on", style="List Bullet")
document.save("handbook.docx")

slides = pptx.Presentation()
first = slides.slides.add_slide(slides.slide_layouts[0])
first.shapes.title.text = "Outlook"
first.placeholders[1].text = "What comes next year"
second = slides.slides.add_slide(slides.slide_layouts[1])
second.shapes.title.text = "The reading garden"
second.placeholders[1].text = "The reading garden opens in April, behind the east wing."
second.notes_slide.notes_text_frame.text = "Mention who paid for the benches."
slides.save("outlook.pptx")

book = openpyxl.Workbook()
sheet = book.active
sheet.title = "Instruments"
sheet.append(["Item", "Arrived", "Price"])
sheet.append(["Globe", datetime.date(2025, 12, 1), 120.5])
sheet.append(["Sextant", datetime.date(2024, 3, 9), 80])
book.save("stock.xlsx")
