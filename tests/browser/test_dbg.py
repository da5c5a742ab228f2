from __future__ import annotations
import time
import pytest
from tests.browser.test_story import *
from tests.browser import test_story as ts
@pytest.fixture
def tick():
    t=[time.time(), time.process_time()]
    def f(n):
        print("%-20s wall %.2f cpu %.2f"%(n,time.time()-t[0],time.process_time()-t[1])); t[:]=[time.time(), time.process_time()]
    return f
def test_dd(line, ines, max_, now, tmp_path, site, camera, console_of, page_of, awake, tick):
    import torch
    tick("start")
    first = first_champion(line, max_, now).name
    tick("champion")
    story = Story(camera, console_of(ines, clock=True), page_of(max_), f"{site}/lines/phones/", awake)
    tick("open")
    people_decide_everything(story); tick("people")
    the_dial_goes_up(story, first); tick("dial")
    an_audit_overrules_the_model(story); tick("audit")
    bring_in(line, tmp_path / "labelled", each=14); tick("bring")
    second = a_new_model_is_trained(story, first); tick("train")
    it_watches_and_then_decides(story, first, second); tick("watch")
    the_dial_goes_down(story); tick("down")
    the_history_tells_it_and_one_step_leads_back(story, line); tick("hist")
