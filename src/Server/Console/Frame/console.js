// What a page can do better with script. Without it every page works; only copying is by hand.
for (const button of document.querySelectorAll('[data-copy]')) {
  // A page that came over plain http from another machine has no clipboard.
  button.hidden = !navigator.clipboard;
  button.setAttribute('aria-live', 'polite');
  button.addEventListener('click', async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    button.textContent = 'Copied';
  });
}

// The exact time in the reader's zone, where the server could only tell it in UTC.
for (const time of document.querySelectorAll('time[datetime]')) {
  const exact = new Date(time.dateTime).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' });
  if ('exact' in time.dataset) {
    time.textContent = exact;
  } else {
    time.title = exact;
  }
}

// A second press before the answer is there sends nothing more.
for (const form of document.querySelectorAll('form[method=post]')) {
  form.addEventListener('submit', (event) => {
    if (form.dataset.sent) {
      event.preventDefault();
    } else if (!event.defaultPrevented) {
      form.dataset.sent = 'yes';
    }
  });
  window.addEventListener('pageshow', () => delete form.dataset.sent);
}

// One stop for the Tab key in each chart; the arrow keys read the days.
for (const chart of document.querySelectorAll('.chart svg')) {
  const days = [...chart.querySelectorAll('.day')];
  days.forEach((day, index) => day.setAttribute('tabindex', index === days.length - 1 ? '0' : '-1'));
  chart.addEventListener('keydown', (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const next = days[days.indexOf(document.activeElement) + step];
    if (next) {
      event.preventDefault();
      days.forEach((day) => day.setAttribute('tabindex', '-1'));
      next.setAttribute('tabindex', '0');
      next.focus();
    }
  });
}

// Who waits for the first request sees it arrive.
if (document.querySelector('[data-wait]')) {
  const noticed = `${location.pathname}?first=true`;
  setInterval(async () => {
    if (document.visibilityState === 'visible') {
      const answer = await fetch(noticed);
      if (answer.ok && !(await answer.text()).includes('data-wait')) {
        location.replace(noticed);
      }
    }
  }, 5000);
}

// The answer of a trial as it comes, where the form alone would wait for all of it.
document.addEventListener('submit', async (event) => {
  const form = event.target.closest('[data-stream] form');
  if (!form) {
    return;
  }
  event.preventDefault();
  const button = form.querySelector('[type=submit]');
  const part = (id) => document.getElementById(id);
  button.disabled = true;
  const fail = (why) => {
    [part('trial').hidden, part('broken').hidden] = [false, false];
    part('broken').querySelector('span').textContent = why;
  };
  try {
    const answer = await fetch(form.action, {
      method: 'POST', body: new URLSearchParams(new FormData(form)), headers: { Accept: 'text/event-stream' },
    });
    if (!(answer.headers.get('Content-Type') ?? '').startsWith('text/event-stream')) {
      // A refusal, a fault of the form, or where to sign in: a page like without script.
      const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
      if (!page.querySelector('.shell main')) {
        location.assign(answer.redirected ? answer.url : location.href);
        return;
      }
      document.querySelector('main').replaceWith(page.querySelector('main'));
      (part('trial')?.hidden === false ? part('trial') : document.querySelector('main')).scrollIntoView();
      return;
    }
    part('trial').replaceWith(part('trial-blank').content.cloneNode(true));
    part('trial').hidden = false;
    await listen(answer.body, part, fail);
    const id = [...part('headers').querySelectorAll('dt')].find((name) => name.textContent.toLowerCase() === 'x-request-id');
    const used = await fetch(`${form.action}?request=${encodeURIComponent(id.nextElementSibling.textContent)}`);
    part('used').replaceWith(new DOMParser().parseFromString(await used.text(), 'text/html').getElementById('used'));
  } catch (fault) {
    fail(fault.message);
  } finally {
    button.disabled = false;
  }
});

async function listen(body, part, fail) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  for (let text = ''; ;) {
    const { done, value } = await reader.read();
    if (done) {
      return;
    }
    const events = (text + value).replaceAll('\r\n', '\n').split('\n\n');
    text = events.pop();
    for (const event of events) {
      const lines = event.split('\n');
      const data = lines.filter((line) => line.startsWith('data:')).map((line) => line.slice(5).trim()).join('\n');
      if (data === '' || data === '[DONE]') {
        continue;
      }
      const told = JSON.parse(data);
      if (lines.includes('event: headers')) {
        for (const [name, content] of told) {
          const row = part('headers').appendChild(document.createElement('div'));
          row.appendChild(document.createElement('dt')).textContent = name;
          row.appendChild(document.createElement('dd')).textContent = content;
        }
      } else if (told.error) {
        fail(told.error.message ?? '');
      } else {
        part('answer').append(told.choices?.[0]?.delta?.content ?? '');
      }
    }
  }
}

// A secret's page is the answer to a form: reloading it, or coming back to it, shows what it is about, and sends nothing again.
const secret = document.getElementById('secret');
if (secret?.dataset.home) {
  history.replaceState(null, '', secret.dataset.home);
}
