import type { Browser, Page } from 'playwright-core';
import { launchBrowser, openPage, PHONE, type WatchedPage } from '../../support/browser';
import { SampleProcess } from './sample-process';

let chat: SampleProcess;
let browser: Browser;
const opened: WatchedPage[] = [];
let rooms = 0;

/** Enters a room of the chat in a window of its own. */
async function enter(name: string, room: string, options: Parameters<typeof openPage>[2] = {}): Promise<Page> {
  const watched = await openPage(browser, `${chat.url}#${room}`, options);
  opened.push(watched);
  const { page } = watched;
  await page.getByLabel('Your name').fill(name);
  await page.getByRole('button', { name: 'Enter' }).click();
  await connected(page);
  return page;
}

const newRoom = (): string => `page-${++rooms}`;
const connected = (page: Page, timeout?: number): Promise<void> => page.locator('#status[data-kind=good]').waitFor({ timeout });
const messages = (page: Page) => page.locator('.message:not(.sending) .message-text');
const member = (page: Page, name: string) => page.locator('.member', { hasText: name });

async function say(page: Page, text: string): Promise<void> {
  await page.getByLabel(/^Message /).fill(text);
  await page.getByLabel(/^Message /).press('Enter');
}

/** Waits until a message is there for certain: sent, and not on its way. */
const hears = (page: Page, text: string): Promise<void> => messages(page).getByText(text, { exact: true }).waitFor();

beforeAll(async () => {
  chat = await SampleProcess.start('01-chat');
  browser = await launchBrowser();
}, 120_000);

afterEach(async () => {
  const pages = opened.splice(0);
  const problems = pages.flatMap((watched) => watched.problems);
  await Promise.all(pages.map(({ page }) => page.context().close()));
  if (problems.length > 0) throw new Error(`The page had problems:\n${problems.join('\n')}`);
});

afterAll(async () => {
  await chat?.stop();
  await browser?.close();
});

it('lets two people talk, and shows who is there and who is typing', async () => {
  const room = newRoom();
  const [ada, grace] = await Promise.all([enter('Ada', room), enter('Grace', room)]);
  await Promise.all([member(ada, 'Grace').waitFor(), member(grace, 'Ada').waitFor()]);

  await say(ada, 'Hello, <b>Grace</b>');
  await hears(grace, 'Hello, <b>Grace</b>');
  await hears(ada, 'Hello, <b>Grace</b>');
  await grace.getByLabel(/^Message /).pressSequentially('hm');
  await ada.getByText('Grace is typing…').waitFor();
  await say(grace, 'Hello, Ada');
  await hears(ada, 'Hello, Ada');
  await ada.getByText('Grace is typing…').waitFor({ state: 'detached' });
  expect(await messages(ada).allTextContents()).toEqual(['Hello, <b>Grace</b>', 'Hello, Ada']);

  await grace.context().close();
  await ada.getByText('Grace left').waitFor();
  await member(ada, 'Grace').waitFor({ state: 'detached' });
});

it('keeps rooms apart, and counts what is said in another one', async () => {
  const [here, there] = [newRoom(), newRoom()];
  const [ada, grace] = await Promise.all([enter('Ada', here), enter('Grace', here)]);
  await ada.getByLabel('Open a new room').fill(there);
  await ada.getByLabel('Open a new room').press('Enter');
  await ada.getByRole('heading', { name: there }).waitFor();

  await say(grace, 'meanwhile');
  await hears(grace, 'meanwhile');

  await ada.getByRole('link', { name: `${here}, 1 unread` }).waitFor();
  expect(await messages(ada).count()).toBe(0);
  await ada.getByRole('link', { name: here }).click();
  await hears(ada, 'meanwhile');
  expect(await ada.title()).toBe(`#${here} · Common Room`);
});

it('asks for a name that can be used', async () => {
  const watched = await openPage(browser, chat.url);
  opened.push(watched);
  const { page } = watched;
  await page.getByRole('button', { name: 'Enter' }).click();
  await page.getByRole('alert').getByText('Choose a name first.').waitFor();
  await page.getByLabel('Your name').fill('x'.repeat(25));
  await page.getByRole('button', { name: 'Enter' }).click();
  await page.getByRole('alert').getByText('up to 24 characters').waitFor();
  expect(await page.getByLabel('Your name').getAttribute('aria-invalid')).not.toBeNull();
});

it('gives a message back that is too long, with the reason', async () => {
  const ada = await enter('Ada', newRoom());
  const text = 'x'.repeat(1001);
  await say(ada, text);
  await ada.getByText('A message can have up to 1000 characters').waitFor();
  expect(await ada.getByLabel(/^Message /).inputValue()).toBe(text);
  expect(await messages(ada).count()).toBe(0);
});

it('has the history after a reload, and still the name', async () => {
  const room = newRoom();
  const ada = await enter('Ada', room);
  for (const text of ['one', 'two']) {
    await say(ada, text);
    await hears(ada, text);
  }
  await ada.reload();
  await hears(ada, 'two');
  expect(await messages(ada).allTextContents()).toEqual(['one', 'two']);
  await ada.locator('.me-name', { hasText: 'Ada' }).waitFor();
});

it('misses nothing when its network fails, and sends then what was written meanwhile, once', async () => {
  const room = newRoom();
  const [ada, grace] = await Promise.all([enter('Ada', room), enter('Grace', room)]);
  await say(ada, 'before');
  await hears(grace, 'before');

  await grace.context().setOffline(true);
  await grace.getByRole('button', { name: 'Offline' }).waitFor();
  await say(ada, 'missed');
  await hears(ada, 'missed');
  await say(grace, 'from the tunnel');
  await grace.context().setOffline(false);

  await hears(grace, 'missed');
  await hears(grace, 'from the tunnel');
  await hears(ada, 'from the tunnel');
  expect(await messages(grace).allTextContents()).toEqual(['before', 'missed', 'from the tunnel']);
  expect(await grace.locator('.gap').count()).toBe(0);
});

it('comes back by itself when the server was restarted, says what it cannot know, and goes on', async () => {
  const room = newRoom();
  const [ada, grace] = await Promise.all([enter('Ada', room), enter('Grace', room)]);
  await say(ada, 'before the restart');
  await hears(grace, 'before the restart');

  await chat.stop();
  chat = await SampleProcess.start('01-chat', { PORT: chat.port });

  // Each try waits longer than the last, and a busy machine starts a server slowly.
  await Promise.all([connected(ada, 40_000), connected(grace, 40_000)]);
  await Promise.all([member(ada, 'Grace').waitFor(), member(grace, 'Ada').waitFor()]);
  await Promise.all([ada, grace].map((page) => page.getByText('the server could not replay').waitFor()));
  await say(ada, 'after the restart');
  await hears(grace, 'after the restart');
  expect(await messages(grace).allTextContents()).toEqual(['before the restart', 'after the restart']);
}, 90_000);

it('stays away when the server does not want it back, until it is asked', async () => {
  const watched = await openPage(browser, chat.url);
  opened.push(watched);
  const { page } = watched;
  let attempts = 0;
  await page.routeWebSocket(/\/ws/, async (socket) => {
    attempts++;
    if (attempts === 1) await socket.close({ code: 4503, reason: 'not now' });
    else socket.connectToServer();
  });
  await page.reload();
  await page.getByLabel('Your name').fill('Ada');
  await page.getByRole('button', { name: 'Enter' }).click();
  await page.getByText('Disconnected: the server ended the connection').waitFor();
  // What brings back a page that waits for the network.
  await page.evaluate("dispatchEvent(new Event('online'))");
  expect(attempts).toBe(1);

  await page.getByRole('button', { name: 'Connect again' }).click();
  await connected(page);
  expect(attempts).toBe(2);
});

it('is usable on a phone: the lists are drawers, and nothing runs over the edge', async () => {
  const room = newRoom();
  const ada = await enter('Ada', room, PHONE);
  await say(ada, 'a-word-without-an-end'.repeat(10));
  await messages(ada).first().waitFor();
  expect(await ada.evaluate('document.documentElement.scrollWidth')).toBe(390);
  await ada.getByRole('link', { name: /^lobby/ }).waitFor({ state: 'hidden' });

  await ada.getByRole('button', { name: 'Rooms', exact: true }).click();
  await ada.getByRole('link', { name: /^lobby/ }).click();
  await ada.getByRole('heading', { name: 'lobby' }).waitFor();
  await ada.getByRole('link', { name: /^lobby/ }).waitFor({ state: 'hidden' });

  await ada.getByRole('button', { name: /^Members/ }).click();
  await member(ada, 'Ada').waitFor();
  await ada.keyboard.press('Escape');
  await member(ada, 'Ada').waitFor({ state: 'hidden' });
  await ada.getByLabel('Message lobby').tap();
});
